// How well a model does on a text, and which figure says it: that follows from the model's head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/encoding.h"
#include "io/tasks/task_question.h"
#include "model/architecture.h"

namespace evenkeel {

enum class Metric {
  perplexity,  // of language models: exp of the mean negative log-likelihood of tokens 2 .. L of
               // each window; of a last-word task: of each last word
  accuracy,    // the share of texts whose largest logit is that of their label, or of questions
               // whose likeliest answer is right
  normalized_accuracy,  // the same, each answer's log-likelihood over its number of characters
  f1,                   // of the class 1 of two: 2 TP / (2 TP + FP + FN)
  matthews,             // Matthews' correlation of labels and predictions
  pearson,              // correlation of values and predictions
  spearman,             // the same of their ranks
};

std::string_view name_of(Metric metric);

/// The metric of models with that head; none for masked-language models. A classifier of one label
/// gives a value: pearson.
std::optional<Metric> metric_of(const HeadModules& head);

struct TaskExample {
  std::size_t line = 0;  // in its file
  std::size_t answer = 0;
  std::size_t answers = 0;
  std::vector<std::size_t> lengths{};  // of choices, in characters
};

/// What an evaluation task asks. Each answer of each example is one window of its text, in order.
struct TaskExamples {
  std::string kind;
  TaskForm form = TaskForm::choices;
  std::vector<TaskExample> examples{};
  std::vector<Tokens> targets{};  // of each window: the ids that its last states are to predict
};

/// A file to evaluate, and the name it has in results.
struct EvaluationText {
  std::string label;
  std::vector<Encoding> windows;       // or whole texts
  std::vector<Index> classes{};        // of accuracy: that of each text
  std::vector<double> values{};        // of pearson: likewise
  std::optional<TaskExamples> task{};  // of a task of a language model
};

/// A figure, and what each window or example has of it, in their order: perplexity is exp of the
/// mean of `terms`, any other the mean itself or, where it is no mean (f1 and the correlations),
/// about that of its jackknife pseudo-values n f - (n - 1) f_without_one. So all have a standard
/// error, and two models are compared example by example.
struct Figure {
  Metric metric = Metric::perplexity;
  double value = 0.0;
  std::vector<double> terms{};
};

/// Over windows or examples: the standard deviation of the terms (n - 1) over the root of their
/// number; of a perplexity that of the mean log-likelihood times the perplexity (delta method).
/// Not a number of fewer than two terms.
double standard_error(const Figure& figure);

/// What one example of a task or of labelled texts came to.
struct ExampleResult {
  std::size_t line = 0;          // in its file; 0: not known
  std::vector<double> logits{};  // of a task: log-likelihoods of its answers
  double prediction = 0.0;       // the answer or class, or a value; of a last word, whether greedy
  std::optional<std::size_t> normalized_prediction{};  // of choices
  double answer = 0.0;                                 // the right one
};

struct TextScore {
  std::string label;
  double value = 0.0;  // of `metric`
  // Of accuracy.
  std::int64_t examples = 0;
  std::int64_t correct = 0;
  Metric metric = Metric::perplexity;
  std::vector<double> terms{};           // as Figure has them
  std::vector<Figure> others{};          // further figures of the same text
  std::string task{};                    // its kind, of a task
  std::vector<ExampleResult> results{};  // of each example; not kept with work that is continued

  Figure figure() const { return {metric, value, terms}; }
};

/// The main figure and the others.
std::vector<Figure> all_figures(const TextScore& score);

}  // namespace evenkeel
