#include "calib/run_id.h"

#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

constexpr TensorScheme tensor_scheme{.bits = 8, .granularity = Granularity::per_tensor};

BlockResult some_block() {
  BlockResult result;
  result.codes.push_back({.scheme = tensor_scheme,
                          .rows = 1,
                          .columns = 1,
                          .codes = {1},
                          .steps = {0.5F},
                          .zero_points = {3}});
  result.quantizers[0].emplace(tensor_scheme, std::vector<Range>{{-1.0F, 1.0F}});
  return result;
}

std::string id_of(const std::string& job, const BlockResult& result) {
  RunId id(job);
  id.block(choices_of(result));
  return id.text();
}

TEST(RunIdTest, EqualRunsHaveEqualIdsAndOthersDoNot) {
  const std::string id = id_of("job", some_block());
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(id_of("job", some_block()), id);
  EXPECT_NE(id_of("other job", some_block()), id);
  BlockResult other = some_block();
  other.codes[0].steps[0] = 0.25F;
  EXPECT_NE(id_of("job", other), id);
  other = some_block();
  other.codes[0].zero_points[0] = 4;
  EXPECT_NE(id_of("job", other), id);
  other = some_block();
  other.quantizers[0].emplace(tensor_scheme, std::vector<Range>{{-1.0F, 2.0F}});
  EXPECT_NE(id_of("job", other), id);
  RunId twice("job");
  twice.block(choices_of(some_block()));
  twice.block(choices_of(some_block()));
  EXPECT_NE(twice.text(), id);
}

}  // namespace
}  // namespace evenkeel
