// XXH3 of contents: by it a file, a tensor or a text is known again. It guards against mistakes and
// damage, not against forgery. Source: https://xxhash.com, the 64-bit variant without a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct XXH3_state_s;  // of xxhash.h

namespace evenkeel {

/// Of bytes that come in pieces; how they were cut does not matter. Not thread-safe.
class ContentHash {
 public:
  ContentHash();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text);
  /// Of what was added so far: 16 hexadecimal digits.
  std::string text() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// Of the whole.
std::string content_hash(std::span<const std::byte> bytes);
std::string content_hash(std::string_view text);
/// Of a file, a piece at a time, so that little of it is in memory. Throws: InputError.
std::string file_hash(const std::filesystem::path& path);

/// A text file whose first line is the hash of the rest, written at once, or left as it was.
/// Throws: MachineError.
void write_checked_text(const std::filesystem::path& path, std::string_view text);
/// The text; nothing when the file is absent, unreadable or not as it was written.
std::optional<std::string> read_checked_text(const std::filesystem::path& path);

}  // namespace evenkeel
