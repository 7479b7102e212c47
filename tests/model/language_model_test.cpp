// Embeddings, the final norm and the head; and a whole forward under padding.
#include "model/language_model.h"

#include <algorithm>
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
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::exactly;
using support::random_matrix;
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
      {"33 tokens", "'max_position_embeddings' (32)", "lower the sequence length"});
}

TEST(Embed, RefusesIdsOutsideTheVocabulary) {
  const TinyModel model;
  for (const TokenId id : {-1, 264, 2147483647, -2147483647 - 1}) {
    support::expect_error<InputError>(
        [&] {
          model->embed({1, id});
        },
        model.folder(), {"token id " + std::to_string(id), "vocabulary of 264"});
  }
}

TEST(FinalNorm, AgreesWithDoubles) {
  const TinyModel model;
  Matrix hidden = random_matrix(5, 16, 1, -3.0F, 5.0F);
  const auto expected = support::slow_layer_norm(
      exactly(hidden), model->checkpoint().vector("model.decoder.final_layer_norm.weight", 16),
      model->checkpoint().vector("model.decoder.final_layer_norm.bias", 16), 1e-5);
  model->normalize(hidden);
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

// ---- Padding: real tokens get the logits that they have alone.

Matrix logits_of(const LanguageModel& model, const Tokens& tokens, const TokenMask& mask) {
  Matrix hidden = model.embed(tokens, mask);
  Workspace workspace;
  NoTap nothing;
  for (Index number = 0; number < model.architecture().blocks; ++number) {
    forward(model.architecture(), load_block(model.checkpoint(), model.architecture(), number),
            hidden, mask, nothing, workspace);
  }
  model.normalize(hidden);
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
