// Amounts of memory as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace evenkeel {

/// Bytes of "2GiB", "512 MiB", "1000000": decimal digits, then nothing, B, or KiB, MiB, GiB, TiB
/// (powers of 1024) or KB, kB, MB, GB, TB (powers of 1000). Nothing for any other spelling (signs,
/// fractions, a bare "G") and for more than 2^64 - 1 bytes.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

/// What `parse_byte_size` reads, for messages.
std::string_view byte_size_spelling();

}  // namespace evenkeel
