// The constants of the safetensors format, for its reader and its writer (io/safetensors.h says
// what they mean).
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace evenkeel::safetensors_layout {

static_assert(std::endian::native == std::endian::little, "numbers are stored little-endian");

inline constexpr std::uint64_t length_size = 8;               // bytes of the header's length
inline constexpr std::uint64_t longest_header = 100'000'000;  // as in the format's own library
inline constexpr std::uint64_t data_alignment = 8;            // spaces fill the header up to it
inline constexpr std::string_view metadata_key = "__metadata__";

}  // namespace evenkeel::safetensors_layout
