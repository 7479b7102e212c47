#include "apps/table.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "apps/terminal.h"

namespace evenkeel {
namespace {

constexpr std::string_view gap = "  ";

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::string padded(std::string_view text, std::size_t width, Table::Align align) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return align == Table::Align::left ? std::string(text) + blanks : blanks + std::string(text);
}

std::string without_trailing_blanks(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

void add_csv_cell(std::string_view cell, std::string& line) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    line.append(cell);
    return;
  }
  line.push_back('"');
  for (const char byte : cell) {
    if (byte == '"') line.push_back('"');
    line.push_back(byte);
  }
  line.push_back('"');
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line.push_back(',');
    add_csv_cell(cells[i], line);
  }
  line.push_back('\n');
  return line;
}

}  // namespace

Table::Table(const TextTable& text) : rows_(text.rows) {
  for (const auto& [name, figures] : text.columns) {
    columns_.push_back({name, figures ? Align::right : Align::left});
  }
}

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::line(const std::vector<std::string>& cells,
                        const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += gap;
    text += padded(cells[i], widths[i], columns_[i].align);
  }
  return without_trailing_blanks(std::move(text));
}

std::vector<std::string> Table::headers() const {
  std::vector<std::string> headers;
  for (const Column& column : columns_) headers.push_back(column.header);
  return headers;
}

std::string Table::csv() const {
  std::string text = csv_line(headers());
  for (const auto& row : rows_) text += csv_line(row);
  return text;
}

std::string Table::text(bool emphasis) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.header));
  std::vector<std::string> rule;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    for (const auto& row : rows_) widths[i] = std::max(widths[i], width_of(row[i]));
    rule.emplace_back(widths[i], '-');
  }
  std::string text = bold(line(headers(), widths), emphasis) + "\n" + line(rule, widths) + "\n";
  for (const auto& row : rows_) text += line(row, widths) + "\n";
  return text;
}

std::string field_list(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) width = std::max(width, width_of(name));
  std::string text;
  for (const auto& [name, value] : fields) {
    text += padded(name, width, Table::Align::left) + std::string(gap) + value + "\n";
  }
  return text;
}

}  // namespace evenkeel
