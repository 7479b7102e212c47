#include "calib/zero_shot.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "calib/evaluation_stream.h"
#include "calib/kept_columns.h"
#include "calib/scheme_places.h"
#include "model/stored_linears.h"
#include "quantizers/data_types/book_weight.h"

namespace evenkeel {
namespace {

void add_uses(const QuantizedWeight& codes, CodeUses& uses) {
  if (!is_signed_book(codes.scheme.codes)) return;
  const std::vector<std::uint64_t> own = code_uses(codes);
  uses.resize(std::max(uses.size(), own.size()));
  std::ranges::transform(own, uses, uses.begin(), std::plus<>());
}

}  // namespace

RunnableBlock zero_shot_block(const LanguageModel& model, Index number, const Scheme& scheme,
                              CodeUses* uses) {
  const Architecture& architecture = model.architecture();
  RunnableBlock loaded{model.load_block(number), {}};
  const KeptColumns kept = proxies_of(model.checkpoint(), architecture);
  for (const StoredLinear& stored : quantized_linears(architecture, scheme, number)) {
    Matrix room;
    const QuantizedWeight codes =
        quantize_linear(joined_weight(stored, loaded.block, room), scheme, number, stored, kept);
    if (uses != nullptr) add_uses(codes, *uses);
    split_weight(stored, codes, loaded.block);
  }
  for (const Node node : all_nodes) {
    loaded.quantizers[index_of(node)].emplace(scheme_of_node(scheme, number, node));
  }
  return loaded;
}

std::vector<TextScore> scores_by_block(const LanguageModel& model,
                                       const std::vector<EvaluationText>& texts,
                                       const BlockLoader& load, Progress& progress,
                                       HiddenMemory* memory) {
  EvaluationStream stream(model, texts, memory);
  const auto blocks = static_cast<int>(model.architecture().blocks);
  for (Index number = 0; number < model.architecture().blocks; ++number) {
    progress.step("evaluate", static_cast<int>(number), blocks, fmt::format("block {}", number));
    const RunnableBlock loaded = load(number);
    stream.states().advance(model.architecture(), loaded.block, loaded.quantizers);
  }
  progress.step("evaluate", blocks, blocks, "head");
  return stream.finish();
}

}  // namespace evenkeel
