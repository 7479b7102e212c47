// Embeddings, the final norm and the head; and a whole forward under padding.
#include "model/language_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "model/forward.h"
#include "support/checkpoint_edits.h"
#include "support/expect_error.h"
#include "support/random_matrix.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"
#include "support/slow_reference.h"
#include "support/tiny_families.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::exactly;
using support::random_matrix;
using support::TinyFamily;
using support::within;

class TinyModel {
 public:
  explicit TinyModel(const support::TinyOpt& options = {})
      : checkpoint_(support::write_tiny_opt(folder_.path(), options)), model_(checkpoint_) {}

  const LanguageModel& operator*() const { return model_; }
  const LanguageModel* operator->() const { return &model_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  Matrix stored(const std::string& name, Index rows) const {
    return checkpoint_.matrix("model.decoder." + name, rows, model_.architecture().channels);
  }

 private:
  support::ScratchFolder folder_;
  Checkpoint checkpoint_;
  LanguageModel model_;
};

TEST(Embed, AddsTheRowsOfTokenAndPosition) {
  const TinyModel model;
  const Matrix tokens = model.stored("embed_tokens.weight", 264);
  const Matrix positions = model.stored("embed_positions.weight", 34);
  const Tokens ids{7, 263, 0, 7};
  const Matrix hidden = model->embed(ids);
  ASSERT_EQ(hidden.rows(), 4);
  for (Index i = 0; i < 4; ++i) {
    EXPECT_EQ(Vector(hidden.row(i)),
              Vector(tokens.row(ids[static_cast<std::size_t>(i)]) + positions.row(i + 2)));
  }
}

// As the published model's cumulative sum over the mask: padding takes the row before the first.
TEST(Embed, PositionsCountRealTokens) {
  const TinyModel model;
  const Matrix tokens = model.stored("embed_tokens.weight", 264);
  const Matrix positions = model.stored("embed_positions.weight", 34);
  const Matrix hidden = model->embed({5, 5, 5, 5, 5, 5}, {0, 0, 1, 1, 0, 1});
  const std::vector<Index> rows{1, 1, 2, 3, 1, 4};
  for (Index i = 0; i < 6; ++i) {
    EXPECT_EQ(Vector(hidden.row(i)),
              Vector(tokens.row(5) + positions.row(rows[static_cast<std::size_t>(i)])));
  }
}

TEST(Embed, TakesAsManyTokensAsThereArePositions) {
  const TinyModel model;
  EXPECT_EQ(model->embed(Tokens(32, 1)).rows(), 32);
  EXPECT_EQ(model->embed({}).rows(), 0);
  support::expect_error<InputError>(
      [&] { model->embed(Tokens(33, 1)); }, model.folder() / "config.json",
      {"33 tokens", "32 positions of 'max_position_embeddings'", "lower the sequence length"});
}

TEST(Embed, RefusesIdsOutsideTheVocabulary) {
  const TinyModel model;
  for (const TokenId id : {-1, 264, 2147483647, -2147483647 - 1}) {
    support::expect_error<InputError>(
        [&] {
          model->embed({1, id});
        },
        model.folder(), {"token id " + std::to_string(id), "outside the 264"});
  }
}

TEST(FinalNorm, AgreesWithDoubles) {
  const TinyModel model;
  Matrix hidden = random_matrix(5, 16, 1, -3.0F, 5.0F);
  const auto expected = support::slow_layer_norm(
      exactly(hidden), model->checkpoint().vector("model.decoder.final_layer_norm.weight", 16),
      model->checkpoint().vector("model.decoder.final_layer_norm.bias", 16), 1e-5);
  model->finish(hidden);
  EXPECT_TRUE(within(hidden, expected));
}

TEST(Logits, AreProductsWithTheEmbeddingsAcrossChunksOfTheHead) {
  for (const Index vocabulary : {Index{3}, head_chunk_rows, head_chunk_rows + 1}) {
    support::TinyOpt options;
    options.channels = 4;
    options.heads = 1;
    options.vocabulary = vocabulary;
    const TinyModel model(options);
    const Matrix x = random_matrix(3, 4, 2);
    EXPECT_TRUE(
        within(model->logits(x),
               slow_linear(exactly(x), model.stored("embed_tokens.weight", vocabulary), Vector())));
  }
}

TEST(Logits, OfAnUntiedHeadAreItsOwn) {
  const support::ScratchFolder folder;
  support::write_tiny_opt(folder.path());
  const Matrix head = random_matrix(264, 16, 3);
  support::change_config(folder.path(), "tie_word_embeddings", false);
  support::change_tensors(folder.path(), [&](std::vector<support::BuiltTensor>& tensors) {
    const std::vector<float> values(head.data(), head.data() + head.size());
    tensors.push_back({"lm_head.weight", "F32", {264, 16}, support::bytes_of_numbers(values)});
  });
  const Checkpoint checkpoint(folder.path());
  const LanguageModel model(checkpoint);
  const Matrix x = random_matrix(3, 16, 4);
  EXPECT_TRUE(within(model.logits(x), slow_linear(exactly(x), head, Vector())));
}

// ---- The forms of other families.

constexpr double epsilon = std::numeric_limits<float>::epsilon();
constexpr Index channels = support::tiny_channels;
constexpr Index vocabulary = support::tiny_vocabulary;

class Model {
 public:
  explicit Model(const TinyFamily& family)
      : checkpoint_(support::write_tiny_family(folder_.path(), family)), model_(checkpoint_) {}

  const LanguageModel* operator->() const { return &model_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  Matrix matrix(const std::string& name, Index rows, Index columns = channels) const {
    return checkpoint_.matrix(name + ".weight", rows, columns);
  }
  Vector vector(const std::string& name, Index size = channels) const {
    return checkpoint_.vector(name, size);
  }
  Bounded dense(const std::string& name, const Matrix& x) const {
    return slow_linear(exactly(x), matrix(name, channels), vector(name + ".bias"));
  }

 private:
  support::ScratchFolder folder_;
  Checkpoint checkpoint_;
  LanguageModel model_;
};

Bounded rows_of(const Matrix& table, const std::vector<Index>& rows) {
  return exactly(table(rows, Eigen::all));
}

Bounded capped(Bounded logits, double cap) {
  logits.bound += 8.0 * epsilon * logits.value.cwiseAbs();
  logits.value = logits.value.unaryExpr([&](double x) { return cap * std::tanh(x / cap); });
  return logits;
}

// ---- Embeddings.

TEST(Embed, ProjectsIntoTheBlocksChannels) {
  const Model model(support::tiny_projected_opt());
  const Bounded projected =
      slow_linear(rows_of(model.matrix("model.decoder.embed_tokens", vocabulary, 6), {7, 0, 49}),
                  model.matrix("model.decoder.project_in", channels, 6), Vector());
  const Bounded positions = rows_of(model.matrix("model.decoder.embed_positions", 34), {2, 3, 4});
  EXPECT_TRUE(within(model->embed({7, 0, 49}), sum_of(projected, positions)));
}

// The norm of the sum is the first block's.
TEST(Embed, AddsTokenTypes) {
  const Model model(support::tiny_bert(true));
  const std::string place = "bert.embeddings.";
  const Bounded tokens = rows_of(model.matrix(place + "word_embeddings", vocabulary), {7, 0, 49});
  const Bounded positions = rows_of(model.matrix(place + "position_embeddings", 32), {0, 1, 2});
  const Matrix types = model.matrix(place + "token_type_embeddings", 3);
  EXPECT_TRUE(within(model->embed({7, 0, 49}, {}, {0, 2, 1}),
                     sum_of(sum_of(tokens, rows_of(types, {0, 2, 1})), positions)));
  EXPECT_EQ(model->embed({7, 0, 49}), model->embed({7, 0, 49}, {}, {0, 0, 0}));
  for (const TokenId wrong : {-1, 3}) {
    support::expect_error<InputError>(
        [&] {
          model->embed({7, 0}, {}, {0, wrong});
        },
        model.folder(), {"token type " + std::to_string(wrong), "outside the 3"});
  }
}

TEST(Embed, ScalesGemmas) {
  const Model model(support::tiny_gemma2());
  const Bounded tokens = rows_of(model.matrix("model.embed_tokens", vocabulary), {5, 31});
  EXPECT_TRUE(within(model->embed({5, 31}), product_of(tokens, 4.0)));
}

// As the published model: positions start after the padding token's, which padding has.
TEST(Embed, RobertasPositionsFollowThePadding) {
  TinyFamily family = support::tiny_bert(true);
  family.config["model_type"] = "roberta";
  family.config["architectures"] = nlohmann::json::array({"RobertaForSequenceClassification"});
  family.config["pad_token_id"] = 3;
  for (support::TinyTensor& tensor : family.tensors) {
    if (tensor.name.starts_with("bert.pooler.")) tensor.name.replace(0, 12, "classifier.");
    if (tensor.name.starts_with("bert.")) tensor.name.replace(0, 4, "roberta");
    if (tensor.shape == std::vector<std::int64_t>{3, 16} && tensor.name == "classifier.weight") {
      tensor.name = "classifier.out_proj.weight";
    }
    if (tensor.name == "classifier.bias") tensor.name = "classifier.out_proj.bias";
  }
  const Model model(family);
  EXPECT_EQ(model->architecture().positions, 28);
  const std::string place = "roberta.embeddings.";
  const Bounded tokens = rows_of(model.matrix(place + "word_embeddings", vocabulary), {7, 9, 3, 3});
  const Bounded types = rows_of(model.matrix(place + "token_type_embeddings", 3), {0, 0, 0, 0});
  const Bounded positions = rows_of(model.matrix(place + "position_embeddings", 32), {4, 5, 3, 3});
  EXPECT_TRUE(
      within(model->embed({7, 9, 3, 3}, {1, 1, 0, 0}), sum_of(sum_of(tokens, types), positions)));
}

// ---- Finishing.

TEST(Finish, NormsThenProjects) {
  const Model model(support::tiny_projected_opt());
  Matrix hidden = random_matrix(4, channels, 1, -3.0F, 3.0F);
  const std::string norm = "model.decoder.layers.1.final_layer_norm";
  const Bounded normed = slow_layer_norm(exactly(hidden), model.vector(norm + ".weight"),
                                         model.vector(norm + ".bias"), 1e-5);
  model->finish(hidden);
  EXPECT_TRUE(
      within(hidden, slow_linear(normed, model.matrix("model.decoder.project_out", 6), Vector())));
}

// ---- Heads.

TEST(Logits, HaveTheBiasThatThereIs) {
  const Model model(support::tiny_gptj());
  const Matrix x = random_matrix(3, channels, 2);
  const Matrix head = model.matrix("lm_head", vocabulary);
  const Vector bias = model.vector("lm_head.bias", vocabulary);
  EXPECT_TRUE(within(model->logits(x), slow_linear(exactly(x), head, bias)));
  // A part of the head has that part of the bias.
  EXPECT_EQ(model->head_rows(30, 20), Matrix(head.middleRows(30, 20)));
  Matrix part = Matrix::Zero(2, 20);
  model->finish_logits(part, 30);
  EXPECT_EQ(Vector(part.row(1)), Vector(bias.segment(30, 20)));
}

TEST(Logits, AreScaled) {
  TinyFamily family = support::tiny_llama("cohere");
  family.config["logit_scale"] = 0.3;
  const Model model(family);
  const Matrix x = random_matrix(3, channels, 3);
  const Bounded products =
      slow_linear(exactly(x), model.matrix("model.embed_tokens", vocabulary), Vector());
  EXPECT_TRUE(within(model->logits(x), product_of(products, static_cast<double>(0.3F))));
}

TEST(Logits, AreCapped) {
  const Model model(support::tiny_gemma2());
  const Matrix x = random_matrix(3, channels, 4, -2.0F, 2.0F);
  const Bounded products =
      slow_linear(exactly(x), model.matrix("model.embed_tokens", vocabulary), Vector());
  EXPECT_GT(products.value.cwiseAbs().maxCoeff(), 2.0);
  EXPECT_TRUE(within(model->logits(x), capped(products, 2.0)));
}

// From the first token alone, after the pooler's tanh.
TEST(Logits, OfAClassifierAreOneRow) {
  const Model model(support::tiny_bert(true));
  const Matrix x = random_matrix(5, channels, 5);
  const Bounded pooled = capped(model.dense("bert.pooler.dense", x.topRows(1)), 1.0);
  const Matrix logits = model->logits(x);
  EXPECT_EQ(logits.rows(), 1);
  EXPECT_TRUE(within(logits, slow_linear(pooled, model.matrix("classifier", 3),
                                         model.vector("classifier.bias", 3))));
  Matrix others = x;
  others.bottomRows(4).setConstant(9.0F);
  EXPECT_EQ(model->logits(others), logits);
}

TEST(Logits, OfMaskedTokensComeAfterADenseLayerItsActivationAndANorm) {
  const Model model(support::tiny_bert(false));
  const Matrix x = random_matrix(5, channels, 6);
  const std::string place = "cls.predictions.transform.";
  Bounded dense = model.dense(place + "dense", x);
  // Gelu is no steeper than 1.13 and rounds a few times.
  dense.bound = 1.2 * dense.bound + 8.0 * epsilon * dense.value.cwiseAbs();
  dense.value =
      dense.value.unaryExpr([](double v) { return v * 0.5 * std::erfc(-v / std::sqrt(2.0)); });
  const Bounded normed = slow_layer_norm(dense, model.vector(place + "LayerNorm.weight"),
                                         model.vector(place + "LayerNorm.bias"), 1e-12);
  EXPECT_TRUE(
      within(model->logits(x),
             slow_linear(normed, model.matrix("bert.embeddings.word_embeddings", vocabulary),
                         model.vector("cls.predictions.bias", vocabulary))));
}

// ---- Padding: real tokens get the logits that they have alone.

Matrix logits_of(const LanguageModel& model, const Tokens& tokens, const TokenMask& mask) {
  Matrix hidden = model.embed(tokens, mask);
  Workspace workspace;
  NoTap nothing;
  for (Index number = 0; number < model.architecture().blocks; ++number) {
    forward(model.architecture(), load_block(model.checkpoint(), model.architecture(), number),
            hidden, mask, nothing, workspace);
  }
  model.finish(hidden);
  return model.logits(hidden);
}

// The figure that holds for a float forward against another one: of the largest logit.
constexpr double float_forward = 2e-5;

void expect_padding_does_not_matter(const LanguageModel& model, std::size_t length,
                                    std::size_t padding) {
  Tokens real;
  for (std::size_t i = 0; i < length; ++i) {
    real.push_back(static_cast<TokenId>((i * 37 + 11) %
                                        static_cast<std::size_t>(model.architecture().vocabulary)));
  }
  const Matrix alone = logits_of(model, real, {});
  const double bound = float_forward * static_cast<double>(alone.cwiseAbs().maxCoeff());
  const auto rows = static_cast<Index>(length);
  for (const bool left : {true, false}) {
    SCOPED_TRACE(left ? "left" : "right");
    Tokens tokens = real;
    TokenMask mask(length, 1);
    tokens.insert(left ? tokens.begin() : tokens.end(), padding, TokenId{1});
    mask.insert(left ? mask.begin() : mask.end(), padding, std::uint8_t{0});
    const Index first = left ? static_cast<Index>(padding) : 0;
    const Matrix padded = logits_of(model, tokens, mask);
    EXPECT_TRUE(padded.allFinite());
    EXPECT_TRUE(within(padded.middleRows(first, rows), alone.cast<double>(), bound));
    // A comparison that can fail: without the mask, padding on the left is seen.
    if (!left) continue;
    EXPECT_FALSE(within(logits_of(model, tokens, {}).middleRows(first, rows), alone.cast<double>(),
                        100.0 * bound));
  }
}

TEST(Padding, DoesNotMatterToRealTokens) {
  support::TinyOpt options;
  options.positions = 300;
  const TinyModel model(options);
  expect_padding_does_not_matter(*model, 1, 4);
  expect_padding_does_not_matter(*model, 20, 5);
  expect_padding_does_not_matter(*model, 125, 130);
}

TEST(Padding, DoesNotMatterToTheGoldenOpt) {
  constexpr const char* folder = "golden/architectures/opt";
  EVENKEEL_NEEDS_SHARED(folder);
  const Checkpoint checkpoint(support::shared_file(folder));
  expect_padding_does_not_matter(LanguageModel(checkpoint), 20, 5);
}

}  // namespace
}  // namespace evenkeel
