// Amounts of memory as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

/// Bytes of "2GiB", "512 MiB", "1000000": decimal digits, then nothing, B, or KiB, MiB, GiB, TiB
/// (powers of 1024) or KB, kB, MB, GB, TB (powers of 1000). Nothing for any other spelling (signs,
/// fractions, a bare "G") and for more than 2^64 - 1 bytes.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

/// "512 B", "1.5 KiB", "2.0 GiB": rounded to one decimal, for people.
std::string byte_size_text(std::uint64_t bytes);

/// What `parse_byte_size` reads, for messages.
std::string_view byte_size_spelling();

}  // namespace evenkeel
