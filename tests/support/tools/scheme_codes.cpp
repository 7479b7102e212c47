// Reads {"scheme": ..., "weight": [[...]]} or {"scheme": ..., "samples": [[[...]], ...], "heads":
// n} from standard input, for the Python tests, and prints what the scheme makes of them: {"codes",
// "steps", "zero_points"} of the weight (of a signed code book also "book", "means" and "decoded",
// row after row, and of `"kept": [...]` columns in 16 bits), or {"ranges", "values"} of the samples
// under the activations' scheme of the first entry of `nodes`. Each sample is a batch of n pieces,
// one for each head (1: no heads), and observed in parts of one sample each.
#include <exception>
#include <iostream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/scheme_json.h"
#include "quantizers/activation_quantizer.h"
#include "quantizers/range_observer.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Matrix matrix_of(const Json& rows) {
  Matrix matrix(static_cast<Index>(rows.size()), static_cast<Index>(rows.at(0).size()));
  for (Index i = 0; i < matrix.rows(); ++i) {
    for (Index j = 0; j < matrix.cols(); ++j) matrix(i, j) = rows.at(i).at(j).get<float>();
  }
  return matrix;
}

std::vector<Range> observed(const std::vector<Matrix>& pieces, Index heads,
                            const TensorScheme& scheme) {
  RangeObserver total(scheme);
  bool again = true;
  while (again) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      RangeObserver part = total.part();
      part.observe(pieces[i], static_cast<Index>(i) / heads, static_cast<Index>(i) % heads);
      total.merge(part);
    }
    again = total.end_pass();
  }
  return total.finish();
}

Json quantized_samples(const Json& task, const TensorScheme& scheme) {
  const auto heads = task.at("heads").get<Index>();
  std::vector<Matrix> pieces;
  for (const Json& rows : task.at("samples")) pieces.push_back(matrix_of(rows));
  const ActivationQuantizer quantizer =
      is_dynamic(scheme) ? ActivationQuantizer(scheme)
                         : ActivationQuantizer(scheme, observed(pieces, heads, scheme));
  Json found{{"ranges", Json::array()}, {"values", Json::array()}};
  for (const Range& range : quantizer.ranges()) {
    found["ranges"].push_back({range.low, range.high});
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    quantizer.apply(pieces[i], static_cast<Index>(i) % heads);
    for (const float value : pieces[i].reshaped<Eigen::RowMajor>()) {
      found["values"].push_back(value);
    }
  }
  return found;
}

Json answer(const Json& task) {
  const Scheme scheme = scheme_from_json(JsonReader("standard input", task), "scheme");
  if (!task.contains("weight")) return quantized_samples(task, scheme.nodes.at(0).scheme);
  const auto kept = task.value("kept", std::vector<Index>{});
  const QuantizedWeight found = quantize_weight(matrix_of(task.at("weight")), scheme.weights, kept);
  Json json{{"codes", found.codes}, {"steps", found.steps}, {"zero_points", found.zero_points}};
  if (is_signed_book(scheme.weights.codes)) {
    const Matrix decoded = dequantize_weight(found);
    json["book"] = found.book.values;
    json["means"] = found.book.means;
    json["decoded"] = std::vector<float>(decoded.data(), decoded.data() + decoded.size());
  }
  return json;
}

}  // namespace
}  // namespace evenkeel

int main() {
  try {
    evenkeel::Json answers = evenkeel::Json::array();
    for (const auto& task : evenkeel::Json::parse(std::cin)) {
      answers.push_back(evenkeel::answer(task));
    }
    std::cout << answers << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
