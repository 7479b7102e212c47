#include "calib/yaml_text.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

bool is_control(char byte) {
  return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7F;
}

}  // namespace

std::string YamlSource::where(int line) const {
  return has_lines ? fmt::format("{}:{}", name, line + 1) : name;
}

void refuse_bytes_that_yaml_drops(std::string_view text, const YamlSource& source) {
  int number = 0;
  for (const std::string_view line : lines_of(text)) {
    const auto control = std::ranges::find_if(line, is_control);
    if (control != line.end()) {
      throw UsageError(fmt::format("{}: a control character (0x{:02X}); a job is text",
                                   source.where(number), static_cast<unsigned char>(*control)));
    }
    if (first_invalid_utf8(line)) {
      throw UsageError(fmt::format("{}: not UTF-8; save the job as UTF-8", source.where(number)));
    }
    ++number;
  }
}

std::string not_yaml(std::string_view text, const YamlSource& source, int line,
                     std::string_view complaint) {
  const auto lines = lines_of(text);
  const auto number =
      std::clamp<std::size_t>(line < 0 ? 0 : static_cast<std::size_t>(line), 0, lines.size() - 1);
  const std::string_view wrong = lines[number];
  const auto indentation = wrong.substr(0, wrong.find_first_not_of(" \t"));
  const bool tab = indentation.find('\t') != std::string_view::npos;
  return fmt::format("{}: not YAML: {}{}", source.where(static_cast<int>(number)), complaint,
                     tab ? " (the line is indented with a tab; use spaces)" : "");
}

}  // namespace evenkeel
