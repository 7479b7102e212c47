// What the rows of a comparison read: their models, each opened once.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "calib/job.h"
#include "calib/job_inputs.h"

namespace evenkeel {

/// What stays in memory of a model is its tokenizer and the texts to evaluate.
class ComparedInputs {
 public:
  /// Throws: as JobInputs.
  explicit ComparedInputs(const std::vector<ComparisonRow>& rows);

  std::size_t size() const { return models_.size(); }
  std::size_t model_of(std::size_t row) const { return of_row_[row]; }
  /// Its label on the axis `model`, or its folder's name, or path where these are alike.
  const std::string& label(std::size_t model) const { return models_[model].label; }
  const JobInputs& at(std::size_t model) const { return *models_[model].inputs; }

 private:
  struct Opened {
    std::filesystem::path model;
    std::string label;
    std::unique_ptr<JobInputs> inputs;
  };

  std::vector<Opened> models_;
  std::vector<std::size_t> of_row_;
};

/// "w4a4, corpus: text.txt": a row's settings in one line.
std::string label_of(const ComparisonRow& row);

}  // namespace evenkeel
