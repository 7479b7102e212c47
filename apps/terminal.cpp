#include "apps/terminal.h"

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace evenkeel {
namespace {

constexpr int usual_columns = 80;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

std::string styled_text(std::string_view escape, std::string_view text, bool styled) {
  if (!styled) return std::string(text);
  return std::string(escape).append(text).append("\x1b[0m");
}

}  // namespace

bool moves_cursor(std::FILE* stream) {
  return isatty(fileno(stream)) == 1 && environment("TERM") != "dumb";
}

bool shows_styles(std::FILE* stream) {
  return moves_cursor(stream) && environment("NO_COLOR").empty();
}

int terminal_columns(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_columns;
  return size.ws_col;
}

std::string bold(std::string_view text, bool styled) {
  return styled_text("\x1b[1m", text, styled);
}
std::string red(std::string_view text, bool styled) {
  return styled_text("\x1b[31m", text, styled);
}

}  // namespace evenkeel
