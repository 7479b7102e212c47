#include "io/content_hash.h"

#include <algorithm>
#include <new>

#include <fmt/format.h>
#include <xxhash.h>

#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {
namespace {

constexpr std::size_t piece_bytes = std::size_t{4} << 20U;
constexpr std::size_t digits = 16;

std::string hexadecimal(XXH64_hash_t hash) { return fmt::format("{:0{}x}", hash, digits); }

}  // namespace

void ContentHash::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

ContentHash::ContentHash() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state_.get());
}

void ContentHash::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

void ContentHash::add(std::string_view text) { add(std::as_bytes(std::span(text))); }

std::string ContentHash::text() const { return hexadecimal(XXH3_64bits_digest(state_.get())); }

std::string content_hash(std::span<const std::byte> bytes) {
  return hexadecimal(XXH3_64bits(bytes.data(), bytes.size()));
}

std::string content_hash(std::string_view text) {
  return content_hash(std::as_bytes(std::span(text)));
}

std::string file_hash(const std::filesystem::path& path) {
  const MappedFile file(path);
  ContentHash hash;
  std::span<const std::byte> rest = file.bytes();
  for (std::size_t first = 0; !rest.empty(); first += piece_bytes) {
    const std::size_t size = std::min(piece_bytes, rest.size());
    hash.add(rest.first(size));
    file.release(first, size);
    rest = rest.subspan(size);
  }
  return hash.text();
}

void write_checked_text(const std::filesystem::path& path, std::string_view text) {
  write_text(path, fmt::format("{}\n{}", content_hash(text), text));
}

std::optional<std::string> read_checked_text(const std::filesystem::path& path) {
  std::string whole;
  try {
    whole = read_text(path);
  } catch (const InputError&) {
    return std::nullopt;
  }
  if (whole.size() <= digits || whole[digits] != '\n') return std::nullopt;
  std::string text = whole.substr(digits + 1);
  if (!whole.starts_with(content_hash(text))) return std::nullopt;
  return text;
}

}  // namespace evenkeel
