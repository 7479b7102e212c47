// Comma-separated values with quotes (RFC 4180).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace evenkeel {

struct CsvRow {
  std::vector<std::string> fields;
  std::size_t line = 0;  // where it begins, from 1
};

/// Fields in quotes may hold commas, line ends and quotes, these doubled; in other fields a quote
/// is a character as any other. Lines end with LF or CR LF; empty ones are skipped, as is a byte
/// order mark.
/// Throws: InputError "FILE:LINE: what; what to do" when the file is absent or not UTF-8, a quote
/// is not closed, or text follows a closing one.
std::vector<CsvRow> read_csv(const std::filesystem::path& file);

}  // namespace evenkeel
