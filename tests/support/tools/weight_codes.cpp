// Reads {"scheme": ..., "weight": [[...]], "inputs": [[...]]} from standard input and prints
// {"codes", "steps", "zero_points"} of the rounded weight, for the Python tests. With "clip": true
// it is clipped by its inputs first, and "limits" are printed too.
#include <exception>
#include <iostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/scheme_json.h"
#include "quantizers/clip_search.h"
#include "quantizers/gptq.h"

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

QuantizedWeight rounded(const Matrix& weight, const Matrix& inputs, const TensorScheme& scheme) {
  if (scheme.rounding == Rounding::nearest) return quantize_weight(weight, scheme);
  InputHessian hessian(inputs.cols());
  hessian.observe(inputs);
  return gptq(weight, GptqFactor(hessian.finish(), scheme.gptq), scheme);
}

Json codes_of(const Json& task) {
  const TensorScheme scheme =
      scheme_from_json(JsonReader("standard input", task), "scheme").weights;
  const Matrix inputs = matrix_of(task.at("inputs"));
  Matrix weight = matrix_of(task.at("weight"));
  Matrix limits;
  if (task.value("clip", false)) {
    ClipSearch search(inputs.cols(), scheme);
    search.observe(inputs);
    limits = search.limits(weight);
    clip_weight(weight, limits, scheme);
  }
  const QuantizedWeight found = rounded(weight, inputs, scheme);
  return {{"codes", found.codes},
          {"steps", found.steps},
          {"zero_points", found.zero_points},
          {"limits", std::vector<float>(limits.data(), limits.data() + limits.size())}};
}

}  // namespace
}  // namespace evenkeel

int main() {
  try {
    std::cout << evenkeel::codes_of(evenkeel::Json::parse(std::cin)) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
