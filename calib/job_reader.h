// Typed reading of a job's sections. Every fault is collected, none is thrown, so that a person
// sees them all at once.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/yaml_tree.h"

namespace evenkeel {

struct Fault {
  enum class Kind {
    wrong,    // a key or a value that no job may have
    missing,  // a key that a job needs
    idle,     // a key that cannot take effect beside the others
  };

  Kind kind = Kind::wrong;
  YamlPlace place;
  std::string key;  // its path; may be empty
  std::string message;

  /// "job.yaml:3: transform.metod: unknown key; did you mean 'method'?"
  std::string text() const;
};

/// Throws: UsageError with one line for each fault, in the order of their places, each once.
/// Returns when there is none.
void throw_faults(std::vector<Fault> faults);

/// One section of the tree. Lookups give nothing when the key is absent, and nothing plus a fault
/// when its value is not what is expected. Does not own the tree or the faults.
class SectionReader {
 public:
  /// Reports what is not a section, and every unknown key. A nullptr is an absent section, all of
  /// whose lookups give nothing; `place` is where its faults are then said to be.
  SectionReader(const YamlValue* section, const YamlPlace& place, std::string path,
                std::vector<Fault>& faults);

  /// The section of that key, absent when the key is.
  SectionReader section(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// The value as it stands, or nullptr.
  const YamlValue* find(std::string_view key) const;

  /// Text that is not empty.
  std::optional<std::string> text(std::string_view key) const;
  /// A list of such texts that is not empty and has none twice.
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  /// A list of sections that is not empty; the keys of each are those of the path. Empty when the
  /// key is absent, or what stands there is not such a list.
  std::vector<SectionReader> sections(std::string_view key) const;
  /// An integer in decimal digits, low to high.
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t low,
                                      std::int64_t high) const;
  /// The same of the whole unsigned range.
  std::optional<std::uint64_t> unsigned_integer(std::string_view key) const;
  /// A list of these that is not empty and has none twice.
  std::optional<std::vector<std::uint64_t>> unsigned_integers(std::string_view key) const;
  /// `also` names what else may stand there, for the message: " or search".
  std::optional<double> number(std::string_view key, double low, double high,
                               std::string_view also = "") const;
  std::optional<bool> boolean(std::string_view key) const;
  /// One of the given values, spelled as name_of says.
  template <typename Value>
  std::optional<Value> choice(std::string_view key, std::initializer_list<Value> values) const {
    std::vector<std::string> names;
    for (const Value value : values) names.emplace_back(name_of(value));
    const auto given = one_of(key, names);
    for (const Value value : values) {
      if (given && name_of(value) == *given) return value;
    }
    return std::nullopt;
  }
  /// One of the given names.
  std::optional<std::string> one_of(std::string_view key,
                                    const std::vector<std::string>& names) const;

  // Faults of a key; at its value's own place, or at the section's where the key is absent.
  void wrong(std::string_view key, std::string message) const;
  void missing(std::string_view key, std::string message) const;
  /// Only when the key is given.
  void idle(std::string_view key, std::string message) const;

 private:
  const YamlValue* scalar(std::string_view key, std::string_view expected) const;
  void add(Fault::Kind kind, std::string_view key, std::string message) const;

  const YamlValue* section_;
  YamlPlace place_;
  std::string path_;
  std::vector<Fault>* faults_;
};

/// Sets what was given and could be read.
template <typename Value, typename Given>
void take(Value& value, const std::optional<Given>& given) {
  if (given) value = static_cast<Value>(*given);
}

}  // namespace evenkeel
