// Typed access to a JSON document from outside, with errors that name file and key.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace evenkeel {

/// A JSON object read from a file (config.json, tokenizer.json). Lookups without a default throw
/// when the key is absent; both kinds throw when the value has the wrong type. A null counts as
/// absent. Keys may be dotted paths: "rope_scaling.factor".
/// Throws: InputError: "PATH: 'hidden_size': expected a positive integer, got \"x\"".
class JsonReader {
 public:
  /// Throws: InputError with the byte offset when the text is not a JSON object, is nested deeper
  /// than 256, or is not UTF-8.
  explicit JsonReader(const std::filesystem::path& path);
  JsonReader(std::filesystem::path path, nlohmann::ordered_json document);

  const std::filesystem::path& path() const { return path_; }
  const nlohmann::ordered_json& document() const { return document_; }
  bool has(std::string_view key) const;

  /// In [1, 2^31).
  std::int64_t positive(std::string_view key) const;
  std::int64_t positive(std::string_view key, std::int64_t otherwise) const;
  std::int64_t integer(std::string_view key, std::int64_t otherwise) const;
  double number(std::string_view key, double otherwise) const;
  bool boolean(std::string_view key) const;
  bool boolean(std::string_view key, bool otherwise) const;
  std::string text(std::string_view key) const;
  std::string text(std::string_view key, std::string_view otherwise) const;

 private:
  const nlohmann::ordered_json* find(std::string_view key) const;
  std::filesystem::path path_;
  nlohmann::ordered_json document_;
};

}  // namespace evenkeel
