// What config.json calls the classes of a classifier.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/json_reader.h"
#include "io/matrix.h"

namespace evenkeel {

/// Names of the classes 0 .. count - 1. Immutable.
class LabelNames {
 public:
  /// From `id2label` ({"0": "negative", ...}), else from `label2id` ({"negative": 0, ...}), else
  /// LABEL_0, LABEL_1, ... as transformers calls them.
  /// Throws: InputError when a key or a class is not one of 0 .. count - 1, a class has no name or
  /// two classes have one, or the two mappings contradict each other.
  LabelNames(const JsonReader& config, Index count);

  Index count() const { return static_cast<Index>(names_.size()); }
  const std::string& name(Index label) const { return names_[static_cast<std::size_t>(label)]; }
  /// Whether they are LABEL_0, LABEL_1, ...: config.json says nothing of what the classes are.
  bool only_numbered() const;
  /// The class of that name, if there is one.
  std::optional<Index> named(std::string_view name) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace evenkeel
