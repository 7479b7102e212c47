#include "io/csv.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/file.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

class CsvParser {
 public:
  CsvParser(const std::filesystem::path& file, std::string_view text) : file_(file), text_(text) {
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      if (take_line_end()) continue;
      CsvRow row{.fields = {}, .line = line_};
      do {
        row.fields.push_back(field());
      } while (take(','));
      if (at_ < text_.size() && !take_line_end()) {
        refuse(line_, "text follows a closing quote; double the quotes within a field");
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  [[noreturn]] void refuse(std::size_t line, std::string_view message) const {
    throw InputError(fmt::format("{}:{}: {}", file_.string(), line, message));
  }

  bool take(char character) {
    if (at_ == text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  bool take_line_end() {
    if (text_.substr(at_).starts_with("\r\n")) ++at_;
    if (!take('\n')) return false;
    ++line_;
    return true;
  }

  std::string field() {
    const std::size_t opened = line_;
    if (!take('"')) {
      std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
      if (end < text_.size() && text_[end] == '\n' && end > at_ && text_[end - 1] == '\r') --end;
      const std::size_t begin = std::exchange(at_, end);
      return std::string(text_.substr(begin, end - begin));
    }
    std::string value;
    while (true) {
      if (at_ == text_.size()) refuse(opened, "a quote is not closed; close it at its field's end");
      const char next = text_[at_++];
      if (next == '"' && !take('"')) return value;  // a doubled quote stands for itself
      if (next == '\n') ++line_;
      value += next;
    }
  }

  const std::filesystem::path& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> read_csv(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const std::string_view text = mapped.text();
  if (const auto offset = first_invalid_utf8(text)) {
    const auto line = 1 + std::ranges::count(text.substr(0, *offset), '\n');
    throw InputError(fmt::format("{}:{}: not valid UTF-8; convert it", file.string(), line));
  }
  return CsvParser(file, text).rows();
}

}  // namespace evenkeel
