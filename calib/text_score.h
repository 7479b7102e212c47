// How well a model does on a text, and which figure says it: that follows from the model's head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/encoding.h"
#include "model/architecture.h"

namespace evenkeel {

enum class Metric {
  perplexity,  // of language models: exp of the mean negative log-likelihood of tokens 2 .. L of
               // each window
  accuracy,    // of classifiers: the share of texts whose largest logit is that of their label
};

std::string_view name_of(Metric metric);

/// The metric of models with that head; none for masked-language models.
std::optional<Metric> metric_of(HeadKind head);

/// A file to evaluate, and the name it has in results.
struct EvaluationText {
  std::string label;
  std::vector<Encoding> windows;  // or whole texts
  std::vector<Index> classes{};   // of accuracy: that of each text
};

struct TextScore {
  std::string label;
  double value = 0.0;
  // Of accuracy.
  std::int64_t examples = 0;
  std::int64_t correct = 0;
};

/// Of an accuracy: sqrt(p (1 - p) / examples). REQUIRES: examples > 0.
double standard_error(const TextScore& accuracy);

}  // namespace evenkeel
