// What a transform may be asked to do: plain data, validated before use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantizers/scheme.h"

namespace evenkeel {

enum class Method {
  none,                 // quantize as is: the MinMax baseline
  smoothquant,          // Xiao et al. 2022: scale from activation and weight maxima
  outlier_suppression,  // Wei et al. 2022: the norm's gain moves into the weights after it
  os_plus,              // Wei et al. 2023: channel-wise shift and searched scale
  awq,                  // Lin et al. 2023: scale from activation means, for weights alone
};

/// How the grid of OS+ thresholds is scored.
enum class Search {
  exact,       // the answer of `exhaustive`; candidates that can no longer win are dropped
  exhaustive,  // every candidate is scored to the end, and the whole curve is kept
  fast,        // coarse to fine, on shares of the tokens: close to the best, for a fifth of the
               // work
};

/// What the search of OS+ compares with full precision.
enum class SearchObjective {
  attention,  // what the block makes of the products: attention's output (OS+ Eq. 7), and
              // act(gate) * up where the MLP has a gate
  linear,     // the readers' own products (OS+ Eq. 6 for every site): the paper's ablation
};

/// Where in a block shift and scale can move (transforms/site.h).
enum class SiteKind {
  attention,  // from the norm before attention to query, key and value (and to the MLP, where that
              // reads the same norm)
  mlp,        // from the norm before the MLP to its first linears
  output,     // from the value projection to attention's output projection
  down,       // from the up projection of a gated MLP to its down projection, of each expert; from
              // the first linear of a plain one to its last, where a ReLU lies between
};

struct TransformOptions {
  Method method = Method::os_plus;

  /// Samples that the searches (OS+, AWQ, SmoothQuant's alpha) see: the first ones. More
  /// samples make the choice steadier and the search proportionally slower. At least 1.
  int search_samples = 8;

  /// Only read by os_plus.
  Search search = Search::exact;

  // The parts of OS+, all on by default; switched off one at a time they are the paper's ablations.
  // Only read by os_plus.

  /// Move each channel's middle to zero (Eq. 5). Off: scale alone.
  bool shift = true;
  /// Search a scale (Eq. 8). Off: shift alone, and nothing is searched.
  bool scale = true;
  SearchObjective objective = SearchObjective::attention;
  /// One threshold decides the scale of all channels (Eq. 8). Off: that of each channel is
  /// searched, of the same grid, one after another from the widest (transforms/os_plus.h): slower,
  /// and closer to the search samples than to other text.
  bool outlier_threshold = true;

  /// SmoothQuant's migration strength, in [0, 1]: s_j = max|X_j|^alpha / max|W_j|^(1 - alpha).
  /// Empty ("alpha: search"): each site takes, of 0.0, 0.05, ..., 1.0, the value of least output
  /// error. Only read by smoothquant.
  std::optional<double> alpha = 0.5;

  /// Cut off the largest weights of each output channel and group before they are rounded, where
  /// that lowers the error of the products (quantizers/clip_search.h); query and key excepted, as
  /// published with AWQ. Empty: under awq, unless a whole matrix has one step. Works beside any
  /// method; needs weights per channel or per group.
  std::optional<bool> clip{};

  /// The kinds of sites to work on. Empty: what the method's authors did: attention and mlp, and,
  /// under os_plus, down where the MLP has a gate; under awq, down wherever there is one, and
  /// output unless queries are grouped.
  std::optional<std::vector<SiteKind>> sites{};

  /// Leave alone the sites of post-LayerNorm models, whose fold is undone in the residual by
  /// tensors that only this program reads: the checkpoint then loads everywhere.
  bool plain_layout = false;

  bool operator==(const TransformOptions&) const = default;
};

// The spelling of each choice, in one place: job files, records and messages use it.
std::string_view name_of(Method value);
std::string_view name_of(Search value);
std::string_view name_of(SiteKind value);
std::string_view name_of(SearchObjective value);
std::optional<Method> method_named(std::string_view name);
std::optional<Search> search_named(std::string_view name);
std::optional<SiteKind> site_kind_named(std::string_view name);
std::optional<SearchObjective> search_objective_named(std::string_view name);
const std::vector<std::string>& method_names();
const std::vector<std::string>& search_names();
const std::vector<std::string>& site_kind_names();

/// Whether weights are clipped before they are rounded.
bool clips(const TransformOptions& options, const TensorScheme& weights);

/// Every fault, one line each, prefixed by the key; empty when valid.
std::vector<std::string> faults_of(const TransformOptions& options);

}  // namespace evenkeel
