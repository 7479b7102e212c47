// quantize_activations SCHEME.json < IN > OUT: rows of float32 through an ActivationQuantizer, for
// tests that compare with other people's software. The scheme's file holds {"scheme": ...} as
// config.json does; its first node's scheme is used. IN: rows and columns as int64, ranges as int64
// (0: dynamic), then low and high of each, then the values; each head is one row.
#include <cstdint>
#include <exception>
#include <iostream>
#include <utility>
#include <vector>

#include "calib/scheme_json.h"
#include "quantizers/activation_quantizer.h"

namespace {

template <typename Value>
std::vector<Value> read(std::size_t count) {
  std::vector<Value> values(count);
  std::cin.read(reinterpret_cast<char*>(values.data()),
                static_cast<std::streamsize>(count * sizeof(Value)));
  if (!std::cin) throw std::runtime_error("the input is too short");
  return values;
}

void quantize(const char* file) {
  using namespace evenkeel;
  const TensorScheme scheme = scheme_from_json(JsonReader(file), "scheme").nodes.at(0).scheme;
  const auto sizes = read<std::int64_t>(3);
  const auto ends = read<float>(2 * static_cast<std::size_t>(sizes[2]));
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < ends.size(); i += 2) ranges.push_back({ends[i], ends[i + 1]});
  const ActivationQuantizer quantizer = is_dynamic(scheme)
                                            ? ActivationQuantizer(scheme)
                                            : ActivationQuantizer(scheme, std::move(ranges));
  for (Index row = 0; row < sizes[0]; ++row) {
    auto values = read<float>(static_cast<std::size_t>(sizes[1]));
    quantizer.apply(Eigen::Map<Matrix>(values.data(), 1, sizes[1]), row);
    std::cout.write(reinterpret_cast<const char*>(values.data()),
                    static_cast<std::streamsize>(values.size() * sizeof(float)));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: quantize_activations SCHEME.json < IN > OUT\n";
    return 2;
  }
  try {
    quantize(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << "quantize_activations: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
