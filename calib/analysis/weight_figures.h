// What an analysis says about the parameters of a block.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/analysis/histogram.h"
#include "io/checkpoint.h"
#include "model/architecture.h"
#include "model/block.h"
#include "model/node.h"

namespace evenkeel {

struct LinearFigures {
  std::string module;  // within the block: "self_attn.q_proj"; where fused, the fused one
  Index rows = 0;
  Index columns = 0;
  double spectral_norm = 0.0;
  double absmax = 0.0;
  double deviation = 0.0;  // population standard deviation of all weights
  Histogram histogram;     // over [-absmax, absmax]
};

struct NormFigures {
  NormRole role = NormRole::attention_input;
  std::string module;  // within the block: "self_attn_layer_norm"; whole, where the norm is another
                       // block's (post-LayerNorm)
  double gain_deviation = 0.0;  // population standard deviation of the gain (of 1 + w for Gemma)
};
/// "attention.input", "mlp.output", "query", ...
std::string_view name_of(NormRole role);

struct WeightFigures {
  std::vector<LinearFigures> linears;  // every linear that a scheme quantizes, as stored
  std::vector<NormFigures> norms;
};

/// Linears are worked on in parallel. Throws: MachineError as spectral_norm.
WeightFigures weight_figures(const Architecture& architecture, const Block& block, int bins);

/// For each channel of `node`, the standard deviation of the weights of the hidden unit that
/// produces it (model/proxy_columns.h); nothing where no linear of a block does, and for what no
/// linear reads (query, key, value). Of a mixture, its first expert's.
/// Throws: InputError as load_weight.
std::optional<std::vector<double>> producer_deviations(const Checkpoint& checkpoint,
                                                       const Architecture& architecture,
                                                       Index number, Node node);

}  // namespace evenkeel
