#include "model/language_model.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/errors.h"
#include "model/forward.h"
#include "model/ops.h"
#include "quantizers/gemm.h"

namespace evenkeel {
namespace {

Norm load_norm(const Checkpoint& checkpoint, const Architecture& model, const std::string& name,
               bool bias) {
  Norm norm;
  norm.gain = checkpoint.vector(name + model.norm_gain, model.channels);
  if (bias) norm.bias = checkpoint.vector(name + model.norm_bias, model.channels);
  return norm;
}

void check_ids(const Checkpoint& checkpoint, const Tokens& ids, Index count,
               std::string_view what) {
  for (const TokenId id : ids) {
    if (id < 0 || id >= count) {
      throw InputError(
          fmt::format("{}: {} {} is outside the {} that the model has; does the "
                      "tokenizer belong to this model?",
                      checkpoint.folder().string(), what, id, count));
    }
  }
}

}  // namespace

LanguageModel::LanguageModel(const Checkpoint& checkpoint, LinearStorage storage)
    : checkpoint_(checkpoint), architecture_(resolve_architecture(checkpoint, storage)) {
  const Architecture& model = architecture_;
  if (!model.embedding.norm.empty()) {
    embedding_norm_ = load_norm(checkpoint, model, model.module(model.embedding.norm), true);
  }
  if (!model.head.final_norm.empty()) {
    final_norm_ = load_norm(checkpoint, model, model.module(model.head.final_norm),
                            model.norm(NormRole::attention_input).bias);
  }
  if (!model.embedding.project_in.empty()) {
    project_in_ = checkpoint.matrix(model.module(model.embedding.project_in) + ".weight",
                                    model.channels, model.embedding.channels);
  }
  if (!model.head.project_out.empty()) {
    project_out_ = checkpoint.matrix(model.module(model.head.project_out) + ".weight",
                                     model.embedding.channels, model.channels);
  }
  if (!model.head.dense.empty()) {
    dense_.weight = checkpoint.matrix(model.head.dense + ".weight", model.channels, model.channels);
    dense_.bias = checkpoint.vector(model.head.dense + ".bias", model.channels);
  }
  if (!model.head.norm.empty()) {
    head_norm_ = load_norm(checkpoint, model, model.head.norm, true);
  }
  if (!model.head.bias.empty()) {
    const bool classifies = model.head.kind == HeadKind::classification;
    logits_bias_ =
        checkpoint.vector(model.head.bias, classifies ? model.head.labels : model.vocabulary);
  }
}

Matrix LanguageModel::embed(const Tokens& tokens, const TokenMask& mask,
                            const Tokens& token_types) const {
  const Architecture& model = architecture_;
  const EmbeddingModules& embedding = model.embedding;
  const auto length = static_cast<Index>(tokens.size());
  if (model.positions > 0 && length > model.positions) {
    throw InputError(fmt::format(
        "{}: a sequence of {} tokens is longer than the {} positions of "
        "'{}'; lower the sequence length",
        checkpoint_.config().path().string(), length, model.positions, model.positions_key));
  }
  check_ids(checkpoint_, tokens, model.vocabulary, "token id");
  Matrix hidden = checkpoint_.gather(model.token_embedding_name(), model.vocabulary,
                                     embedding.channels, tokens);
  if (embedding.scale != 1.0F) hidden *= embedding.scale;
  if (project_in_.size() != 0) {
    Matrix projected(length, model.channels);
    product_transposed(hidden, project_in_, projected);
    hidden = std::move(projected);
  }
  if (!embedding.token_types.empty()) {
    const Tokens types = token_types.empty() ? Tokens(tokens.size(), 0) : token_types;
    check_ids(checkpoint_, types, embedding.token_type_count, "token type");
    hidden += checkpoint_.gather(model.module(embedding.token_types) + ".weight",
                                 embedding.token_type_count, model.channels, types);
  }
  if (!embedding.positions.empty()) {
    Tokens rows(tokens.size());
    Index next = embedding.position_offset;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool padding = embedding.positions_skip_padding &&
                           (embedding.padding_id >= 0 ? tokens[i] == embedding.padding_id
                                                      : !mask.empty() && mask[i] == 0);
      rows[i] = static_cast<TokenId>(padding ? embedding.position_offset - 1 : next++);
    }
    hidden += checkpoint_.gather(model.module(embedding.positions) + ".weight",
                                 model.positions + embedding.position_offset, model.channels, rows);
  }
  if (!embedding.norm.empty()) {
    normalize(model.norm_kind, hidden, embedding_norm_.gain, embedding_norm_.bias,
              model.norm_epsilon, hidden);
  }
  return hidden;
}

Block LanguageModel::load_block(Index number) const {
  Block block = evenkeel::load_block(checkpoint_, architecture_, number);
  release_block(checkpoint_, architecture_, number);
  return block;
}

void LanguageModel::release_embeddings() const {
  const EmbeddingModules& embedding = architecture_.embedding;
  checkpoint_.release(architecture_.token_embedding_name());
  for (const std::string& module : {embedding.positions, embedding.token_types}) {
    if (!module.empty()) checkpoint_.release(architecture_.module(module) + ".weight");
  }
}

void LanguageModel::release_head() const { checkpoint_.release(architecture_.logits_name()); }

void LanguageModel::finish(Matrix& hidden) const {
  if (final_norm_.gain.size() != 0) {
    normalize(architecture_.norm_kind, hidden, final_norm_.gain, final_norm_.bias,
              architecture_.norm_epsilon, hidden);
  }
  if (project_out_.size() != 0) {
    Matrix projected(hidden.rows(), project_out_.rows());
    product_transposed(hidden, project_out_, projected);
    hidden = std::move(projected);
  }
}

Matrix LanguageModel::dense(const Matrix& input) const {
  Matrix out(input.rows(), architecture_.channels);
  apply(dense_, input, out);
  return out;
}

Matrix LanguageModel::head_rows(Index first, Index count) const {
  const HeadModules& head = architecture_.head;
  const Index rows = head.kind == HeadKind::classification ? head.labels : architecture_.vocabulary;
  return checkpoint_.row_range(architecture_.logits_name(), rows, architecture_.embedding.channels,
                               first, count);
}

void LanguageModel::finish_logits(MatrixView products, Index first) const {
  const HeadModules& head = architecture_.head;
  if (logits_bias_.size() != 0) {
    products.rowwise() += logits_bias_.segment(first, products.cols());
  }
  if (head.scale != 1.0F) products *= head.scale;
  if (head.cap > 0.0F) products = (products.array() / head.cap).tanh() * head.cap;
}

Matrix LanguageModel::logits(const Matrix& finished) const {
  const HeadModules& head = architecture_.head;
  Matrix input = finished;
  if (head.kind == HeadKind::classification) {
    input = dense(finished.topRows(1)).array().tanh();
  } else if (head.kind == HeadKind::masked_language) {
    input = dense(finished);
    activate(head.activation, input);
    normalize(NormKind::layer, input, head_norm_.gain, head_norm_.bias, architecture_.norm_epsilon,
              input);
  }
  const Index outputs =
      head.kind == HeadKind::classification ? head.labels : architecture_.vocabulary;
  Matrix out(input.rows(), outputs);
  for (Index first = 0; first < outputs; first += head_chunk_rows) {
    const Index count = std::min(head_chunk_rows, outputs - first);
    product_transposed(input, head_rows(first, count), out.middleCols(first, count));
    finish_logits(out.middleCols(first, count), first);
  }
  return out;
}

}  // namespace evenkeel
