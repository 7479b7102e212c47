#include "calib/run_id.h"

#include <fmt/format.h>

namespace evenkeel {

void RunId::add(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    hash_ = (hash_ ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
  }
}

void RunId::block(const BlockResult& result) {
  for (const QuantizedWeight& weight : result.codes) {
    add(std::as_bytes(std::span(weight.steps)));
    add(std::as_bytes(std::span(weight.zero_points)));
  }
  for (const auto& quantizer : result.quantizers) {
    if (quantizer) add(std::as_bytes(std::span(quantizer->ranges())));
  }
}

std::string RunId::text() const { return fmt::format("{:016x}", hash_); }

}  // namespace evenkeel
