// Sites: where shift and scale can move in a block.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"
#include "model/node.h"
#include "transforms/options.h"

namespace evenkeel {

/// What a candidate's error is measured in.
enum class Objective {
  attention,  // the attention output before the output projection (OS+ Eq. 7)
  linear,     // the reader's products, without bias (OS+ Eq. 6)
  gated,      // act(gate x) * (up x)
  mixture,    // the same of each expert that a token is sent to, times the expert's weight
};
std::string_view name_of(Objective value);

/// A producer (a norm, or a linear whose output channels are the site's), the linears that read
/// it, and the objectives that score it.
struct Site {
  std::string name;  // within its block: "attention", "mlp", "output", "down", "experts.3.down"
  SiteKind kind = SiteKind::attention;
  std::optional<NormRole> norm;        // the producer is one of
  std::optional<LinearPlace> linear;   // these two
  Node input = Node::attention_input;  // the node between producer and readers
  std::vector<LinearPlace> readers;    // in the order of `Architecture::linear_places`
  /// One; two where attention and MLP read one norm. Their losses then count relative to the
  /// energy of their outputs, and sum.
  std::vector<Objective> objectives;
  /// The residual takes the producer's output too (post-LayerNorm), and undoes the fold.
  bool residual = false;
  /// Why the site scales only; empty: the producer and every reader have a bias, it can shift.
  std::string unshifted;

  bool can_shift() const { return unshifted.empty(); }
};

/// The sites of a block that a method works on, in the order in which the block computes their
/// inputs. A post-LayerNorm model's first block may lack a norm, and so a site.
/// Throws: InputError when `options.sites` names a kind that the family does not have, or
/// `options.plain_layout` changes nothing or leaves no site.
std::vector<Site> sites_of(const Architecture& architecture, Index number,
                           const TransformOptions& options);

/// Every site that the family has, whatever a method takes by default: of its second block, since
/// the first may lack one.
std::vector<Site> all_sites(const Architecture& architecture);

/// "self_attn_layer_norm": the producer's module within the block.
std::string producer_name(const Architecture& architecture, const Site& site);

/// Names of the norms that need tensors for the residual when every site of every block is folded.
std::vector<std::string> residual_norms(const Architecture& architecture,
                                        const TransformOptions& options);

/// One line for each reason why sites of the family that a method shifts are left unshifted or
/// untouched: "attention, mlp: scale only, since ...". Empty when there is nothing to say.
std::vector<std::string> site_notes(const Architecture& architecture,
                                    const TransformOptions& options);

}  // namespace evenkeel
