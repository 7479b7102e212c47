#include "calib/run_id.h"

#include <span>

namespace evenkeel {

std::string choices_of(const BlockResult& result) {
  ContentHash hash;
  for (const QuantizedWeight& weight : result.codes) {
    hash.add(std::as_bytes(std::span(weight.steps)));
    hash.add(std::as_bytes(std::span(weight.zero_points)));
  }
  for (const auto& quantizer : result.quantizers) {
    if (quantizer) hash.add(std::as_bytes(std::span(quantizer->ranges())));
  }
  return hash.text();
}

}  // namespace evenkeel
