// Where a text can be cut without changing what byte-pair encoding makes of it.
#pragma once

#include <string_view>

#include "io/merge_table.h"

namespace evenkeel {

/// Pairs of characters that some merge joins: one that its left side ends with, and one that its
/// right side begins with. A token's text is that of its two sides, so that symbols on two sides of
/// any other pair stay apart whatever is merged before. Thread-safe once filled.
class MergeBoundaries {
 public:
  /// A merge of these two. REQUIRES: valid UTF-8.
  void add(std::string_view left, std::string_view right);
  /// Whether a symbol that ends with `before` may merge with one that begins with `after`.
  bool joins(char32_t before, char32_t after) const;

 private:
  MergeTable pairs_;
  bool joins_all_ = false;  // a side of some merge is empty
};

}  // namespace evenkeel
