#include "calib/compared_inputs.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace evenkeel {
namespace {

constexpr std::string_view model_axis = "model";

std::string model_label_of(const ComparisonRow& row) {
  for (const auto& [axis, label] : row.settings) {
    if (axis == model_axis) return label;
  }
  return row.job.model.filename().string();
}

}  // namespace

ComparedInputs::ComparedInputs(const std::vector<ComparisonRow>& rows) {
  for (const ComparisonRow& row : rows) {
    const auto known = std::ranges::find(models_, row.job.model, &Opened::model);
    of_row_.push_back(static_cast<std::size_t>(known - models_.begin()));
    if (known != models_.end()) continue;
    models_.push_back({row.job.model, model_label_of(row), std::make_unique<JobInputs>(row.job)});
  }
  // Folders of one name are told apart by their paths.
  std::map<std::string, int> uses;
  for (const Opened& opened : models_) ++uses[opened.label];
  for (Opened& opened : models_) {
    if (uses[opened.label] > 1) opened.label = opened.model.string();
  }
}

std::string label_of(const ComparisonRow& row) {
  std::string all;
  for (const auto& [axis, label] : row.settings) all += all.empty() ? label : ", " + label;
  return all;
}

}  // namespace evenkeel
