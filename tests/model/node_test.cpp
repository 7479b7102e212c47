#include "model/node.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(Node, NamesAreThoseOfTheDesignInTheOrderOfTheForward) {
  const std::array<std::string_view, node_count> names{
      "attention.input",         "attention.query",  "attention.key", "attention.value",
      "attention.probabilities", "attention.output", "mlp.input",     "mlp.hidden"};
  for (std::size_t i = 0; i < node_count; ++i) {
    EXPECT_EQ(name_of(all_nodes.at(i)), names.at(i));
    EXPECT_EQ(index_of(all_nodes.at(i)), i);
    EXPECT_EQ(node_named(names.at(i)), all_nodes.at(i));
  }
}

TEST(Node, AnotherNameIsNothing) {
  for (const char* name : {"", "attention", "attention.inpu", "attention.input ", "Mlp.input"}) {
    EXPECT_EQ(node_named(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace evenkeel
