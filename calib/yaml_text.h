// The text around a YAML parser: what must be refused before it, and how its complaints read.
#pragma once

#include <string>
#include <string_view>

namespace evenkeel {

/// How the places of a text are named: NAME:LINE for a file, NAME alone for a setting.
struct YamlSource {
  std::string name;
  bool has_lines = true;
  int first_order = 0;  // of its faults: see YamlPlace

  /// "NAME:LINE" or "NAME"; `line` counts from 0.
  std::string where(int line) const;
};

/// yaml-cpp ends silently at byte 0x04 and replaces what is not UTF-8: both would read as a
/// different job. Throws: UsageError with the line.
void refuse_bytes_that_yaml_drops(std::string_view text, const YamlSource& source);

/// "NAME:LINE: not YAML: ..." for the parser's complaint, with a hint where a tab caused it.
std::string not_yaml(std::string_view text, const YamlSource& source, int line,
                     std::string_view complaint);

}  // namespace evenkeel
