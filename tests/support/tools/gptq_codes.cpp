// Reads {"scheme": ..., "weight": [[...]], "inputs": [[...]]} from standard input and prints
// {"codes", "steps", "zero_points"} of the weight rounded by GPTQ, for the Python tests.
#include <exception>
#include <iostream>

#include <nlohmann/json.hpp>

#include "calib/scheme_json.h"
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

Json codes_of(const Json& task) {
  const TensorScheme scheme =
      scheme_from_json(JsonReader("standard input", task), "scheme").weights;
  const Matrix inputs = matrix_of(task.at("inputs"));
  InputHessian hessian(inputs.cols());
  hessian.observe(inputs);
  const GptqFactor factor(hessian.finish(), scheme.gptq);
  const QuantizedWeight found = gptq(matrix_of(task.at("weight")), factor, scheme);
  return {{"codes", found.codes}, {"steps", found.steps}, {"zero_points", found.zero_points}};
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
