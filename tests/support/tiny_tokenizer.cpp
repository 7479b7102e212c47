#include "support/tiny_tokenizer.h"

#include <fstream>

#include "io/byte_level.h"

namespace evenkeel::support {

nlohmann::json tiny_tokenizer() {
  nlohmann::json vocab;
  for (int byte = 0; byte < 256; ++byte) {
    vocab[byte_level_symbol(static_cast<std::uint8_t>(byte))] = byte;
  }
  int next = 256;
  for (const char* merged : {"ll", "he", "hell", "Ġt", "Ġthe", "<s>"}) vocab[merged] = next++;
  const nlohmann::json merges = {"l l", "h e", "he ll", "Ġ t", "Ġt he"};
  nlohmann::json special = added_token(261, "<s>");
  special["special"] = true;
  return {{"version", "1.0"},
          {"added_tokens", nlohmann::json::array({special})},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"post_processor", nullptr},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
}

nlohmann::json added_token(int id, const std::string& content) {
  nlohmann::json token = {{"id", id}, {"content", content}};
  for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
    token[flag] = false;
  }
  return token;
}

void write_json(const std::filesystem::path& path, const nlohmann::json& document) {
  std::ofstream(path) << document.dump();
}

}  // namespace evenkeel::support
