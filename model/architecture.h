// The declarative description of a model: what a family's file (model/families/) makes of one
// config.json. One forward reads it; nothing falls back to a default mapping.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/checkpoint.h"
#include "io/matrix.h"
#include "model/node.h"
#include "model/ops.h"
#include "model/rotary.h"

namespace evenkeel {

/// The linear layers of a block, by what they do. `gate`, `up` and `down` of a mixture of experts
/// are there once for each expert.
enum class LinearRole { query, key, value, output, gate, up, down, router };
inline constexpr std::size_t linear_count = 8;
inline constexpr std::array<LinearRole, linear_count> all_linears{
    LinearRole::query, LinearRole::key, LinearRole::value, LinearRole::output,
    LinearRole::gate,  LinearRole::up,  LinearRole::down,  LinearRole::router};

/// The norms of a block, by where they stand. A family has some of them.
enum class NormRole {
  attention_input,   // before attention (and before the MLP too, where that has none of its own)
  attention_output,  // of what attention gives, before the residual sum
  mlp_input,
  mlp_output,
  query,  // of each head's query and key, before rotary positions
  key,
};
inline constexpr std::size_t norm_count = 6;
inline constexpr std::array<NormRole, norm_count> all_norms{
    NormRole::attention_input, NormRole::attention_output,
    NormRole::mlp_input,       NormRole::mlp_output,
    NormRole::query,           NormRole::key};

constexpr std::size_t index_of(LinearRole role) { return static_cast<std::size_t>(role); }
constexpr std::size_t index_of(NormRole role) { return static_cast<std::size_t>(role); }

/// The node whose activation the linear reads.
Node input_of(LinearRole role);

/// Whether a scheme quantizes the linear: all but the router, which decides rather than computes
/// and is too small to matter.
constexpr bool is_quantized(LinearRole role) { return role != LinearRole::router; }

/// One linear of a block: a role and, of a mixture, the expert.
struct LinearPlace {
  // Implicit: most linears are there once, and their role says all.
  LinearPlace(LinearRole the_role, Index the_expert = 0) : role(the_role), expert(the_expert) {}

  LinearRole role;
  Index expert;
  bool operator==(const LinearPlace&) const = default;
};

/// A module of the block by its name there ("self_attn.q_proj"); an empty name: there is none.
struct LinearModule {
  std::string name;
  Index rows = 0;     // output channels
  Index columns = 0;  // input channels
  bool bias = false;
};
struct NormModule {
  std::string name;
  bool bias = true;
};

/// How query, key and value stand in one stored tensor, by rows of head_channels.
enum class FusedLayout {
  separate,  // three tensors
  blocks,    // all queries, all keys, all values
  by_group,  // for each key-value head: its queries, its key, its value
};

/// Order of a stored weight's dimensions.
enum class WeightOrder { out_in, in_out };

enum class PositionKind { none, learned, rotary, alibi };

/// What the head makes of the last hidden states.
enum class HeadKind {
  language,         // logits of the vocabulary for each token
  masked_language,  // the same after a dense layer, an activation and a norm
  classification,   // logits of the labels from the first token, after a dense layer and tanh
};

struct EmbeddingModules {
  std::string tokens, positions, token_types;  // "": none
  std::string norm;                            // after the sum
  std::string project_in;                      // to the block's channels, without bias
  Index channels = 0;                          // of the token embedding
  Index position_offset = 0;                   // first position's row in its table
  bool positions_skip_padding = false;         // padding takes the row before the first; it is
                                               // what the mask says, or
  TokenId padding_id = -1;                     // where this is an id, every token that is it
  Index token_type_count = 0;
  float scale = 1.0F;
};

struct HeadModules {
  HeadKind kind = HeadKind::language;
  std::string final_norm;                    // "": none
  std::string project_out;                   // from the block's channels, without bias
  std::string dense, norm;                   // masked_language, classification
  Activation activation = Activation::gelu;  // masked_language, after the dense layer
  std::string logits;  // the last matrix's module; when tied, its weight is the embedding's
  std::string bias;    // the whole name of the logits' bias, or ""
  bool tied = true;
  float scale = 1.0F;
  float cap = 0.0F;  // logits := cap tanh(logits / cap); 0: none
  Index labels = 0;
};

struct Architecture {
  std::string model_type;
  // Ends of the names of a norm's tensors.
  std::string norm_gain = ".weight";
  std::string norm_bias = ".bias";
  std::vector<std::string> prefixes;  // before every name but the head's; the first that fits
  std::string prefix;

  Index channels = 0;
  Index ffn_channels = 0;
  Index blocks = 0;
  Index vocabulary = 0;
  Index positions = 0;  // longest sequence; 0: no limit

  EmbeddingModules embedding;
  HeadModules head;

  /// Post-LayerNorm: the residual takes what the norm before a sublayer gives, not what enters it.
  /// The norm before attention then is the one that ends the previous block, where its tensors
  /// are; before the first block it is `first_norm` ("": none), after the last `head.final_norm`.
  bool residual_after_norm = false;
  std::string first_norm;
  /// Norms may have `residual_scale` and `residual_shift` tensors (model/block.h).
  bool residual_transforms = false;

  std::string block;                               // "layers.": then the number and a dot
  std::array<NormModule, norm_count> norms;        // by NormRole
  std::array<LinearModule, linear_count> linears;  // by LinearRole
  std::string fused_attention;                     // module of the fused query, key and value
  FusedLayout fused_layout = FusedLayout::separate;
  WeightOrder weight_order = WeightOrder::out_in;
  std::string experts;  // module of the experts: then the number and a dot; "": no mixture
  Index expert_count = 0;
  Index experts_per_token = 0;

  NormKind norm_kind = NormKind::layer;
  NormKind head_norm_kind = NormKind::rms;  // of NormRole::query and key
  bool norm_by_head = false;                // each head has a gain of its own there
  float norm_epsilon = 1e-5F;
  Activation activation = Activation::relu;
  bool parallel_residual = false;  // attention and MLP both read the block's input

  Index heads = 0;
  Index key_value_heads = 0;
  Index head_channels = 0;
  float query_scale = 1.0F;
  float score_cap = 0.0F;  // scores := cap tanh(scores / cap); 0: none
  bool causal = true;
  PositionKind position_kind = PositionKind::none;
  RotaryOptions rotary;
  std::vector<Index> windows;  // by block: keys a query sees, itself included; 0: all. Empty: all

  // The keys of config.json that sizes came from, for messages.
  std::string vocabulary_key, positions_key;

  bool has(LinearRole role) const { return !linears[index_of(role)].name.empty(); }
  bool has(NormRole role) const { return !norms[index_of(role)].name.empty(); }
  bool gated() const { return has(LinearRole::gate); }
  bool mixture() const { return !experts.empty(); }
  /// Whether each expert has a linear of that role.
  bool by_expert(LinearRole role) const {
    return mixture() &&
           (role == LinearRole::gate || role == LinearRole::up || role == LinearRole::down);
  }
  /// How many linears of that role a block has: none, one, or one for each expert.
  Index copies(LinearRole role) const;
  /// Every linear of a block, in the order of the roles, then of the experts.
  std::vector<LinearPlace> linear_places() const;
  /// Those that the family has, in the order of the enumeration.
  std::vector<NormRole> norm_roles() const;
  Index rows(LinearRole role) const { return linear(role).rows; }
  Index columns(LinearRole role) const { return linear(role).columns; }
  const LinearModule& linear(LinearRole role) const { return linears[index_of(role)]; }
  const NormModule& norm(NormRole role) const { return norms[index_of(role)]; }
  Index query_channels() const { return heads * head_channels; }
  Index key_value_channels() const { return key_value_heads * head_channels; }
  Index window(Index number) const {
    return windows.empty() ? 0 : windows[static_cast<std::size_t>(number)];
  }

  /// "model.decoder.layers.3.self_attn.q_proj"
  std::string block_module(Index number, std::string_view module) const;
  std::string linear_name(Index number, LinearPlace place) const;
  /// Within the block: "self_attn.q_proj", "block_sparse_moe.experts.3.w1".
  std::string module_name(LinearPlace place) const;
  /// "": that block has none.
  std::string norm_name(Index number, NormRole role) const;
  std::string module(std::string_view name) const { return prefix + std::string(name); }
  std::string token_embedding_name() const { return module(embedding.tokens) + ".weight"; }
  /// The tensor that the head multiplies by, [vocabulary or labels, channels].
  std::string logits_name() const;
};

/// How a checkpoint holds the weights of its blocks' linears.
enum class LinearStorage {
  plain,   // NAME.weight in a float dtype
  packed,  // as codes; whoever unpacks them checks them
};

/// Throws: InputError when model_type is not supported (names those that are), a choice of the
/// config is not, or a tensor is absent or contradicts the config: every tensor that the forward
/// will read is looked up and its shape compared before any work.
Architecture resolve_architecture(const Checkpoint& checkpoint,
                                  LinearStorage storage = LinearStorage::plain);

}  // namespace evenkeel
