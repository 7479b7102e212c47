#include "calib/job_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/calibration_samples.h"
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
  if (!job.evaluate.empty()) return;
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
           place(job, "evaluate.tasks"), place(job, "evaluate.sequence_length")})) {}

void JobInputs::check_choices(const Job& job) const {
  static_cast<void>(sites_of(model_.architecture(), 0, job.transform));
  std::vector<std::string> faults = place_faults(job.scheme, model_.architecture());
  for (std::string& fault : faults) fault = place(job, "scheme." + fault);
  if (!faults.empty()) throw UsageError(fmt::format("{}", fmt::join(faults, "\n")));
}

std::vector<Encoding> JobInputs::samples(const Job& job) const {
  if (cut_of(job.calibration, model_.architecture().head.kind) == Cut::windows) {
    check_length(model_, job.calibration.corpus.sequence_length,
                 place(job, "calibration.sequence_length"));
  }
  return read_calibration_samples(model_, tokenizer_, job.calibration);
}

}  // namespace evenkeel
