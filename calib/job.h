// One YAML file and what it asks for. Plain data; `load_job` validates everything before any
// work and reports every fault at once, each with its line.
//
// A key that cannot take effect is a fault (alpha beside method os_plus). It is judged over all the
// jobs that a file stands for: the job itself, as written and with its settings, and each row of
// its comparison. A key is fine when it takes effect in one of them, so that `alpha: 0.5` may stand
// above a comparison of [none, smoothquant, os_plus], and `--set transform.method=none` does not
// make a fault of the file's search_samples. A seed of 0, the default, may stand anywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/analysis/analysis_options.h"
#include "calib/hidden_memory.h"
#include "calib/text_score.h"
#include "io/corpus.h"
#include "io/tasks/task_file.h"
#include "quantizers/scheme.h"
#include "transforms/options.h"

namespace evenkeel {

/// What a calibration sample is.
enum class Cut {
  windows,  // all texts joined and cut (io/corpus.h)
  texts,    // each text as it is, with special tokens (calib/encoded_texts.h)
};
std::string_view name_of(Cut cut);

struct CalibrationOptions {
  CorpusOptions corpus;    // keys corpus | random, order, samples, sequence_length, seed
  std::optional<Cut> cut;  // empty: as suits the model (calib/calibration_samples.h)
  /// Samples of one observed batch: average_minmax is the mean over batches.
  int batch = 8;
  /// In a comparison, the row is calibrated once with each of these in place of corpus.seed; empty:
  /// once. Empty wherever nothing is drawn at random.
  std::vector<std::uint64_t> seeds{};
};

/// A task of language models, and what results call it.
struct EvaluatedTask {
  TaskFile task;
  std::string label;
};
/// Without a label of its own: its kind, or of plain questions the file's name.
std::string default_label(const TaskFile& task);

/// `perplexity` and `tasks`, or `accuracy`, as the model's head has it; neither: no evaluation.
struct EvaluationOptions {
  std::vector<std::filesystem::path> perplexity{};  // text files, for language models
  std::vector<std::filesystem::path> accuracy{};    // labelled texts, for classifiers
  std::vector<EvaluatedTask> tasks{};               // for language models
  /// Tokens of a window, or of a text or a question at most; empty: 512 of a window, 128 of a text,
  /// and of a question as many as the model has positions.
  std::optional<std::int64_t> sequence_length{};
  std::optional<std::int64_t> windows{};   // at most this many of each file; empty: all
  std::optional<std::int64_t> examples{};  // the same of labelled texts and of tasks

  bool empty() const { return files().empty() && tasks.empty(); }
  /// Of the texts, which come first; of tasks, where there are no texts.
  Metric metric() const {
    const bool has_accuracy = !accuracy.empty() || (perplexity.empty() && !tasks.empty());
    return has_accuracy ? Metric::accuracy : Metric::perplexity;
  }
  const std::vector<std::filesystem::path>& files() const {
    return accuracy.empty() ? perplexity : accuracy;
  }
  std::int64_t length() const { return sequence_length.value_or(accuracy.empty() ? 512 : 128); }
};

struct Job {
  std::filesystem::path file;  // the YAML file
  std::string text;  // as run: YAML without comments, every setting applied, no `compare:`
  std::filesystem::path model;  // resolved against the job file's folder, as are all paths
  CalibrationOptions calibration;
  TransformOptions transform;  // search_samples at most calibration.corpus.samples
  Scheme scheme;
  EvaluationOptions evaluate;
  AnalysisOptions analyze;
  std::filesystem::path output;
  /// Bytes of memory that the hidden states of samples and texts may take together; those beyond it
  /// are in a file in the output folder. "2GiB", "512 MiB", "1000000".
  std::uint64_t memory_limit = default_memory_limit;
};

/// Whether the job's figures depend on calibration samples: not when its weights are rounded to the
/// nearest as they are, and ranges of activations are found anew for each input.
bool needs_calibration(const Job& job);

/// One row of a comparison: the job with the row's settings merged in, and those settings as
/// (axis, label) pairs in the order of the `compare:` section. A label is the entry as written:
/// "w4a4", "random: ascii", "bits: 4, symmetric: true".
struct ComparisonRow {
  std::vector<std::pair<std::string, std::string>> settings;
  Job job;
};

/// What figures are measured against: of each row, the row that has these labels on these axes and
/// is otherwise the same; the model as it is, where there are none.
struct Baseline {
  std::vector<std::pair<std::string, std::string>> settings;  // (axis, label)
};
inline constexpr std::string_view full_precision_label = "full precision";

/// A job and the rows of its `compare:` section, first axis slowest. What only the rows give (a
/// calibration text, say) may be missing from `job` itself.
struct Comparison {
  Job job;
  std::vector<ComparisonRow> rows;
  std::optional<Baseline> baseline;  // compare.baseline
};

/// Reads a job file. `settings` are "key.path=value" strings (values are YAML) applied first.
/// A `compare:` section is validated and left out. Files are at most 1 MiB.
/// Throws: UsageError whose message lists every fault: "FILE:LINE: transform.metod: unknown key;
/// did you mean 'method'?"; a setting's faults say "--set KEY" in place of FILE:LINE.
Job load_job(const std::filesystem::path& file, const std::vector<std::string>& settings = {});

/// The same with its `compare:` section, which must be there and not empty. Each axis is a key
/// path ("transform.method") or a section ("calibration"), each value a list; an entry that is a
/// map is merged into the section (`random` replaces `corpus` and the other way round), any other
/// replaces the value. A map that meets a scheme given by name keeps it: {name: w8a8, ...}. Axes:
/// model, anything under transform, scheme, calibration, and `job`, whose entries hold several of
/// these; at most 4096 rows; evaluate.perplexity (or tasks, or accuracy) is needed.
Comparison load_comparison(const std::filesystem::path& file,
                           const std::vector<std::string>& settings = {});

/// The same for `calibrate scaling`: of the rows those that need no calibration
/// (needs_calibration) need no section of that name.
Comparison load_scaling(const std::filesystem::path& file,
                        const std::vector<std::string>& settings = {});

/// The same for `calibrate analyze`, one row for each model and calibration set: the entries of
/// `compare.model` and `compare.calibration` where there are such axes, else the job's own (then
/// without a setting of that axis). At least one row. So that one file serves `compare` too, other
/// axes, `transform`, `scheme` and `evaluate` are neither read nor checked; a setting of them is a
/// fault.
Comparison load_analysis(const std::filesystem::path& file,
                         const std::vector<std::string>& settings = {});

}  // namespace evenkeel
