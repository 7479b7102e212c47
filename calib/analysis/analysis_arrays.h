// analysis.h5 (calib/analysis/analysis_record.h) as charts show it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "calib/analysis/analyze.h"
#include "calib/analysis/mean_map.h"
#include "calib/report/chart.h"
#include "io/hdf5.h"

namespace evenkeel {

/// Models, sets and blocks are those of the analysis's result, by number. Every call throws
/// InputError with the file and the path within when something is absent or of a wrong size.
class AnalysisArrays {
 public:
  /// Throws: InputError when the file is not of that analysis: other models, sets or blocks.
  AnalysisArrays(const std::filesystem::path& file, const AnalysisResult& result);

  /// The YAML as run.
  std::string job() const { return file_.text("/job"); }
  /// Smallest and largest of each channel; without a title.
  BandPlot::Panel ranges(std::size_t model, std::size_t set, std::size_t block, Node node) const;
  /// Largest magnitudes, blocks x channels. Channels that a block lacks are gaps.
  HeatMap magnitudes(std::size_t model, std::size_t set, Node node) const;
  /// Of each pool of channels the mean that is furthest from zero, as a magnitude.
  HeatMap pooled_means(std::size_t model, std::size_t set, Node node) const;
  MeanEnds means(std::size_t model, std::size_t set, Node node) const;
  /// Density: shares of all values, also of those that lie outside, over the width of a bin.
  /// Without a name.
  HistogramPlot::Outline activations(std::size_t model, std::size_t set, std::size_t block,
                                     Node node) const;
  /// The same of a linear's weights, in units of their standard deviation.
  HistogramPlot::Outline weights(std::size_t model, std::size_t block,
                                 const LinearFigures& linear) const;

 private:
  std::vector<double> values(const std::string& path, std::size_t expected) const;
  std::vector<MeanEntry> entries(const std::string& path) const;
  double positive(const std::string& path, const char* name) const;
  HistogramPlot::Outline density(const std::string& path, double outside, double unit) const;

  std::string path_;
  Hdf5Reader file_;
  std::vector<std::size_t> blocks_;  // by model
  int pooling_;
};

}  // namespace evenkeel
