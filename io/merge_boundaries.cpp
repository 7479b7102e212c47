#include "io/merge_boundaries.h"

#include "io/utf8.h"

namespace evenkeel {
namespace {

TokenId code_of(char32_t character) { return static_cast<TokenId>(character); }

}  // namespace

void MergeBoundaries::add(std::string_view left, std::string_view right) {
  if (left.empty() || right.empty()) {
    joins_all_ = true;
    return;
  }
  const char32_t before = utf8_at(left, utf8_before(left, left.size()));
  pairs_.set(code_of(before), code_of(utf8_at(right, 0)), {.rank = 0});
}

bool MergeBoundaries::joins(char32_t before, char32_t after) const {
  return joins_all_ || pairs_.find(code_of(before), code_of(after)).exists();
}

}  // namespace evenkeel
