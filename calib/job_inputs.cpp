#include "calib/job_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/byte_size.h"
#include "calib/calibration_samples.h"
#include "calib/hidden_stream.h"
#include "calib/scheme_places.h"
#include "io/errors.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

std::string place(const Job& job, std::string_view key) {
  return fmt::format("{}: {}", job.file.string(), key);
}

}  // namespace

void require_texts(const Job& job, std::string_view what) {
  if (!job.evaluate.files().empty()) return;
  throw UsageError(
      fmt::format("{}: evaluate.perplexity (of a classifier: evaluate.accuracy) is missing; {}",
                  job.file.string(), what));
}

BlockOptions block_options(const Job& job, bool keep) {
  return {.transform = job.transform,
          .scheme = job.scheme,
          .batch = static_cast<std::size_t>(job.calibration.batch),
          .keep = keep};
}

JobInputs::JobInputs(const Job& job)
    : checkpoint_(job.model),
      model_(checkpoint_),
      tokenizer_(model_),
      texts_(read_evaluation_texts(
          model_, tokenizer_, job.evaluate,
          {place(job, fmt::format("evaluate.{}", name_of(job.evaluate.metric()))),
           place(job, "evaluate.sequence_length")})) {}

void JobInputs::check_memory(const Job& job, std::uint64_t sample_bytes) const {
  const CorpusOptions& corpus = job.calibration.corpus;
  std::uint64_t windows = 0;
  for (const EvaluationText& text : texts_) windows += text.windows.size();
  const std::uint64_t needed = sample_bytes + text_bytes();
  if (needed <= job.memory_limit) return;
  const bool accuracy = job.evaluate.metric() == Metric::accuracy;
  throw UsageError(fmt::format(
      "{}: {} samples of {} tokens and {} evaluation {} need {} of hidden states, the limit is {}; "
      "raise it or lower calibration.samples or evaluate.{}",
      place(job, "memory_limit"), corpus.samples, corpus.sequence_length, windows,
      accuracy ? "texts" : "windows", byte_size_text(needed), byte_size_text(job.memory_limit),
      accuracy ? "examples" : "windows"));
}

std::uint64_t JobInputs::text_bytes() const {
  std::uint64_t bytes = 0;
  for (const EvaluationText& text : texts_) {
    bytes += hidden_state_bytes(model_.architecture(), text.windows);
  }
  return bytes;
}

void JobInputs::check_choices(const Job& job) const {
  static_cast<void>(sites_of(model_.architecture(), 0, job.transform));
  std::vector<std::string> faults = place_faults(job.scheme, model_.architecture());
  for (std::string& fault : faults) fault = place(job, "scheme." + fault);
  if (!faults.empty()) throw UsageError(fmt::format("{}", fmt::join(faults, "\n")));
}

std::vector<Encoding> JobInputs::samples(const Job& job) const {
  const CorpusOptions& corpus = job.calibration.corpus;
  const Architecture& architecture = model_.architecture();
  const bool windows = cut_of(job.calibration, architecture.head.kind) == Cut::windows;
  if (windows) {
    check_length(model_, corpus.sequence_length, place(job, "calibration.sequence_length"));
    check_memory(job, hidden_state_bytes(architecture, static_cast<std::uint64_t>(corpus.samples),
                                         static_cast<std::uint64_t>(corpus.sequence_length)));
  }
  std::vector<Encoding> samples = read_calibration_samples(model_, tokenizer_, job.calibration);
  if (!windows) check_memory(job, hidden_state_bytes(architecture, samples));
  return samples;
}

}  // namespace evenkeel
