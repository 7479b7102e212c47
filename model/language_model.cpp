#include "model/language_model.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/errors.h"
#include "model/ops.h"
#include "quantizers/gemm.h"

namespace evenkeel {

LanguageModel::LanguageModel(const Checkpoint& checkpoint, LinearStorage storage)
    : checkpoint_(checkpoint), architecture_(resolve_architecture(checkpoint, storage)) {
  const std::string norm = architecture_.final_norm_name();
  final_gain_ = checkpoint.vector(norm + ".weight", architecture_.channels);
  final_bias_ = checkpoint.vector(norm + ".bias", architecture_.channels);
}

Matrix LanguageModel::embed(const Tokens& tokens, const TokenMask& mask) const {
  const auto length = static_cast<Index>(tokens.size());
  if (length > architecture_.positions) {
    throw InputError(
        fmt::format("{}: a sequence of {} tokens is longer than '{}' ({}); lower the "
                    "sequence length",
                    checkpoint_.config().path().string(), length,
                    architecture_.family->config_positions, architecture_.positions));
  }
  for (const TokenId id : tokens) {
    if (id < 0 || id >= architecture_.vocabulary) {
      throw InputError(
          fmt::format("{}: token id {} is outside the vocabulary of {}; does the "
                      "tokenizer belong to this model?",
                      checkpoint_.folder().string(), id, architecture_.vocabulary));
    }
  }
  const Index offset = architecture_.family->position_offset;
  std::vector<TokenId> positions(tokens.size());
  Index next = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool real = mask.empty() || mask[i] != 0;
    // Padding takes the row before the first position, as OPT's cumulative sum of the mask does.
    positions[i] = static_cast<TokenId>(real ? offset + next++ : offset - 1);
  }
  Matrix hidden = checkpoint_.gather(architecture_.token_embedding_name(), architecture_.vocabulary,
                                     architecture_.channels, tokens);
  hidden += checkpoint_.gather(architecture_.position_embedding_name(),
                               architecture_.positions + offset, architecture_.channels, positions);
  return hidden;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a view, written through
void LanguageModel::normalize(MatrixView hidden) const {
  layer_norm(hidden, final_gain_, final_bias_, architecture_.family->norm_epsilon, hidden);
}

Matrix LanguageModel::logits(const ConstMatrixView& normalized) const {
  Matrix out(normalized.rows(), architecture_.vocabulary);
  for (Index first = 0; first < architecture_.vocabulary; first += head_chunk_rows) {
    const Index rows = std::min(head_chunk_rows, architecture_.vocabulary - first);
    const Matrix head = checkpoint_.row_range(architecture_.head_name(), architecture_.vocabulary,
                                              architecture_.channels, first, rows);
    product_transposed(normalized, head, out.middleCols(first, rows));
  }
  return out;
}

}  // namespace evenkeel
