#include "io/gguf_family.h"

#include <string>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::string_view architecture_key = "general.architecture";

}  // namespace

std::string gguf_key(const GgufFile& file, std::string_view key) {
  if (!key.starts_with('.')) return std::string(key);
  return fmt::format("{}{}", file.text(architecture_key).value_or(""), key);
}

const GgufFamily& gguf_family_of(const GgufFile& file) {
  const auto architecture = file.text(architecture_key);
  if (!architecture) file.missing(architecture_key);
  std::string supported;
  std::string_view last;
  for (const GgufFamily& family : gguf_families()) {
    if (family.architecture == *architecture &&
        (family.selector.empty() ||
         file.integer(gguf_key(file, family.selector)).value_or(0) != 0)) {
      return family;
    }
    if (family.architecture == last) continue;
    last = family.architecture;
    supported += fmt::format("{}{}", supported.empty() ? "" : ", ", last);
  }
  throw InputError(fmt::format("{}: {}: {} is not supported; supported: {}", file.path().string(),
                               architecture_key, in_quotes(*architecture), supported));
}

}  // namespace evenkeel
