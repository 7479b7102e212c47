// A fold keeps the function: random shifts and scales at every site of every family, written as a
// checkpoint and read again, against what transformers makes of the checkpoint before.
#include <string>

#include <gtest/gtest.h>

#include "calib/checkpoint_outputs.h"
#include "calib/verify.h"
#include "support/golden_architectures.h"
#include "support/random_matrix.h"
#include "support/scratch_folder.h"
#include "transforms/fold.h"
#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

ChannelTransform random_transform(Index channels, bool shifts, std::uint32_t seed) {
  ChannelTransform transform = ChannelTransform::identity(channels);
  transform.scale = support::random_vector(channels, seed, 0.25F, 4.0F);
  if (shifts) transform.shift = support::random_vector(channels, seed + 1, -1.0F, 1.0F);
  return transform;
}

const TransformOptions every_site{
    .method = Method::os_plus,
    .sites = std::vector{SiteKind::attention, SiteKind::mlp, SiteKind::output}};

TransformOptions options_for(const Architecture& architecture) {
  TransformOptions options = every_site;
  if (architecture.gated()) options.sites->push_back(SiteKind::down);
  return options;
}

Index producer_channels(const Architecture& architecture, const Site& site) {
  return site.norm ? architecture.channels : architecture.rows(site.linear->role);
}

class FoldEquivalence : public testing::TestWithParam<std::string> {};

TEST_P(FoldEquivalence, RandomTransformsAtEverySiteKeepTheLogits) {
  const auto folder = support::golden_architecture(GetParam());
  EVENKEEL_NEEDS_SHARED(folder);
  const Checkpoint checkpoint(support::shared_file(folder));
  const LanguageModel model(checkpoint);
  const Architecture& architecture = model.architecture();
  const TransformOptions options = options_for(architecture);
  const support::ScratchFolder scratch;
  FoldedCheckpoint written(model, scratch / "model", residual_norms(architecture, options));
  std::uint32_t seed = 1;
  int folds = 0;
  for (Index number = 0; number < architecture.blocks; ++number) {
    Block block = load_block(checkpoint, architecture, number);
    for (const Site& site : sites_of(architecture, number, options)) {
      fold(random_transform(producer_channels(architecture, site), site.can_shift(), seed += 2),
           architecture, site, block);
      ++folds;
    }
    written.block(number, block);
  }
  written.finish();
  EXPECT_GE(folds, 2 * architecture.blocks);

  const auto result =
      verify_checkpoint(scratch / "model", support::shared_file(folder / "golden.safetensors"));
  for (const TensorDifference& tensor : result.tensors) {
    EXPECT_LE(tensor.relative(), 1e-4) << tensor.name;
    RecordProperty(tensor.name, std::to_string(tensor.relative() * 1e6) + "e-6");
  }
}

INSTANTIATE_TEST_SUITE_P(Families, FoldEquivalence,
                         testing::ValuesIn(support::golden_architectures()),
                         support::architecture_test_name);

}  // namespace
}  // namespace evenkeel
