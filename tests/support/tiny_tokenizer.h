// A tokenizer.json small enough to know by heart, for tests to change and write.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace evenkeel::support {

/// Byte-level BPE without a prefix space. Ids 0 to 255 are the byte values; the merges
/// "l l" (256), "h e" (257), "he ll" (258), "Ġ t" (259), "Ġt he" (260); "<s>" (261) is special.
nlohmann::json tiny_tokenizer();

/// One entry of "added_tokens", all flags false.
nlohmann::json added_token(int id, const std::string& content);

void write_json(const std::filesystem::path& path, const nlohmann::json& document);

}  // namespace evenkeel::support
