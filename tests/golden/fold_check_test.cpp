// A router between equal experts: the fold's rounding decides where a token goes, and that is no
// fault of the fold.
#include "calib/fold_check.h"

#include <gtest/gtest.h>

#include "io/errors.h"
#include "model/language_model.h"
#include "support/golden_architectures.h"
#include "support/random_matrix.h"
#include "transforms/fold.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

TEST(FoldCheckOfAMixture, RoutersThatCannotDecideAreNoFault) {
  const auto folder = support::golden_architecture("mixtral");
  EVENKEEL_NEEDS_SHARED(folder);
  const Checkpoint checkpoint(support::shared_file(folder));
  const LanguageModel model(checkpoint);
  const Architecture& architecture = model.architecture();
  Block block = load_block(checkpoint, architecture, 0);
  Matrix& router = block.linear(LinearRole::router).weight;
  for (Index expert = 1; expert < router.rows(); ++expert) {
    router.row(expert) =
        router.row(0) +
        1e-7F * support::random_matrix(1, router.cols(), static_cast<std::uint32_t>(expert));
  }
  Tokens tokens;
  for (TokenId id = 0; id < 48; ++id) tokens.push_back((11 * id + 5) % 60);
  const Matrix hidden = model.embed(tokens);
  for (const Site& site : all_sites(architecture)) {
    if (!site.norm) continue;
    SCOPED_TRACE(site.name);
    for (std::uint32_t seed = 1; seed < 6; ++seed) {
      Block folded = block;
      ChannelTransform transform = ChannelTransform::identity(architecture.channels);
      transform.scale = support::random_vector(architecture.channels, seed, 0.3F, 3.0F);
      fold(transform, architecture, site, folded);
      const FoldCheck check(architecture, site, block, hidden);
      EXPECT_NO_THROW(check.require_same(folded));
      // What is wrong is still seen: an expert that was left out.
      if (site.kind == SiteKind::mlp) {
        folded.linear({LinearRole::gate, 0}) = block.linear({LinearRole::gate, 0});
        EXPECT_THROW(check.require_same(folded), MachineError);
      }
    }
  }
}

}  // namespace
}  // namespace evenkeel
