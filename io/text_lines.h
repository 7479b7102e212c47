// Files of one text, object or row a line, read strictly.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace evenkeel {

/// Longest line that is read, in bytes.
inline constexpr std::size_t longest_line = std::size_t{1} << 20U;

/// A line without its end, and where it is, for messages.
struct TextLine {
  const std::filesystem::path& file;
  std::size_t number;  // from 1
  std::string_view text;
  std::size_t offset;  // of its first byte in the file

  /// "FILE:LINE"
  std::string place() const;
  /// Throws: InputError "FILE:LINE: MESSAGE".
  [[noreturn]] void refuse(const std::string& message) const;
};

/// Calls `take` for each line in order. Lines end with LF or CR LF; empty and blank ones are
/// skipped, as is a byte order mark.
/// Throws: InputError when the file is absent, a line is not UTF-8 or is too long.
void for_each_line(const std::filesystem::path& file,
                   const std::function<void(const TextLine& line)>& take);

}  // namespace evenkeel
