// How a family's GGUF files say what its Hugging Face checkpoints say: as data, one table each.
//
// Keys and tensor names are those of the published converter (convert_hf_to_gguf.py).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "io/gguf.h"

namespace evenkeel {

/// A metadata key and the key of config.json that has its value. A key that begins with '.' follows
/// the architecture's name: ".block_count" is "llama.block_count".
struct GgufKey {
  /// A count may be an array of equal ones, one for each block.
  enum class Kind { count, number, flag };
  std::string_view gguf;
  std::string_view config;
  Kind kind = Kind::count;
  bool required = true;
};

/// A key of config.json whose value is the same for the whole family, as JSON text.
struct GgufConstant {
  std::string_view config;
  std::string_view value;
};

/// A boolean of config.json that tells whether a tensor is there.
struct GgufPresence {
  std::string_view tensor;
  std::string_view config;
  bool when_present = true;
};

/// A module and its Hugging Face name, both without ".weight" or ".bias"; "{}" is the number of the
/// block and, a second one, of the expert.
struct GgufModule {
  /// What the converter did to the values, to be undone.
  enum class Change {
    none,
    query_rows,  // each head's rows interleaved
    key_rows,    // likewise, by the number of key heads
    fused_rows,  // of query, key and value: taken from each head and put together
    one_added,
    experts,  // stacked: [experts, rows, columns]
    left_out  // part of the config, or not needed
  };
  std::string_view gguf;
  std::string_view name;
  Change change = Change::none;
};

struct GgufFamily {
  std::string_view architecture;  // general.architecture
  std::string_view selector;      // a key that is there and not 0; empty: always
  std::string_view model_type;
  std::string_view class_name;  // config.json's "architectures"
  std::vector<GgufKey> keys;
  std::vector<GgufConstant> constants;
  std::vector<GgufPresence> presences;
  std::vector<GgufModule> modules;
  /// The key for the part of each head that is rotated; empty: all of it is.
  std::string_view rotary_share{};
  /// Adds what follows from the rest, if anything does.
  void (*derive)(nlohmann::ordered_json& config) = nullptr;
};

/// All families; of those with one architecture the first whose selector fits is meant.
const std::vector<GgufFamily>& gguf_families();

/// The key in full: ".block_count" as "llama.block_count".
std::string gguf_key(const GgufFile& file, std::string_view key);

/// Throws: InputError when general.architecture is missing or not supported (the message names
/// those that are).
const GgufFamily& gguf_family_of(const GgufFile& file);

}  // namespace evenkeel
