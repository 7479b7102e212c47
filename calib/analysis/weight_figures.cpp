#include "calib/analysis/weight_figures.h"

#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "calib/analysis/spectral_norm.h"
#include "calib/ordered_parallel.h"
#include "model/proxy_columns.h"
#include "model/stored_linears.h"

namespace evenkeel {
namespace {

template <typename Values>
double deviation_of(const Values& values) {
  const auto wide = values.template cast<double>().array();
  return std::sqrt((wide - wide.mean()).square().mean());
}

// Without the block's own name, where it stands before it.
std::string within_block(const Architecture& architecture, Index number, const std::string& name) {
  const std::string prefix = architecture.block_module(number, "");
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

LinearFigures figures_of(const std::string& module, const Matrix& weight, int bins) {
  const auto absmax = static_cast<double>(weight.cwiseAbs().maxCoeff());
  LinearFigures figures{.module = module,
                        .rows = weight.rows(),
                        .columns = weight.cols(),
                        .spectral_norm = spectral_norm(weight),
                        .absmax = absmax,
                        .deviation = deviation_of(weight),
                        .histogram = Histogram(absmax > 0.0 ? absmax : 1.0, bins)};
  figures.histogram.observe({weight.data(), static_cast<std::size_t>(weight.size())});
  return figures;
}

}  // namespace

std::string_view name_of(NormRole role) {
  static constexpr std::array<std::string_view, norm_count> names{
      "attention.input", "attention.output", "mlp.input", "mlp.output", "query", "key"};
  return names[index_of(role)];
}

WeightFigures weight_figures(const Architecture& architecture, const Block& block, int bins) {
  WeightFigures figures;
  std::vector<StoredLinear> linears = stored_linears(architecture, block.number);
  std::erase_if(linears, [](const StoredLinear& stored) { return !is_quantized(stored.role()); });
  make_and_take_in_order(
      linears.size(),
      [&](std::size_t i) {
        Matrix room;
        return figures_of(within_block(architecture, block.number, linears[i].module),
                          joined_weight(linears[i], block, room), bins);
      },
      [&](std::size_t, LinearFigures linear) { figures.linears.push_back(std::move(linear)); });
  for (const NormRole role : architecture.norm_roles()) {
    const Norm& norm = block.norm(role);
    if (!norm.present()) continue;
    figures.norms.push_back(
        {role, within_block(architecture, block.number, architecture.norm_name(block.number, role)),
         deviation_of(norm.gain)});
  }
  return figures;
}

std::optional<std::vector<double>> producer_deviations(const Checkpoint& checkpoint,
                                                       const Architecture& architecture,
                                                       Index number, Node node) {
  for (const StoredLinear& stored : stored_linears(architecture, number)) {
    if (input_of(stored.role()) != node || !is_quantized(stored.role())) continue;
    if (!proxy_producer(architecture, number, stored)) return std::nullopt;
    return proxy_deviations(checkpoint, architecture, number, stored);
  }
  return std::nullopt;
}

}  // namespace evenkeel
