#include "io/gguf_pretokenizers.h"

#include <array>
#include <string>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Expressions = std::string_view;

// GPT-2's own (Radford et al. 2019).
constexpr Expressions gpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr std::array only_gpt2{gpt2};
constexpr std::array digits_alone{Expressions(R"(\p{N})"), gpt2};
constexpr std::array llama3{Expressions(
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)")};
constexpr std::array qwen2{Expressions(
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)")};
constexpr std::array tekken{Expressions(
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)")};
constexpr std::array falcon{Expressions(R"([\p{P}\$\+<=>\^~\|`]+)"), gpt2,
                            Expressions("[0-9][0-9][0-9]")};
constexpr std::array bloom{Expressions(R"( ?[^(\s|.,!?…。，、।۔،)]+)")};
// What the format's own program does where nothing better is known.
constexpr std::array fallback{Expressions(R"([\p{P}\$\+<=>\^~\|]+)"), gpt2,
                              Expressions(R"(\p{N}+)"), Expressions("[0-9][0-9][0-9]")};

// Names and expressions are those of the published converter and its program.
constexpr std::array table{GgufPreTokenizer{"default", fallback},
                           GgufPreTokenizer{"gpt-2", only_gpt2},
                           GgufPreTokenizer{"phi-2", only_gpt2},
                           GgufPreTokenizer{"mpt", only_gpt2, true},
                           GgufPreTokenizer{"olmo", only_gpt2, true},
                           GgufPreTokenizer{"smollm", digits_alone},
                           GgufPreTokenizer{"starcoder", digits_alone},
                           GgufPreTokenizer{"refact", digits_alone},
                           GgufPreTokenizer{"command-r", digits_alone, true},
                           GgufPreTokenizer{"llama-bpe", llama3, false, true, true},
                           GgufPreTokenizer{"llama3", llama3, false, true, true},
                           GgufPreTokenizer{"llama-v3", llama3, false, true, true},
                           GgufPreTokenizer{"qwen2", qwen2, true},
                           GgufPreTokenizer{"deepseek-r1-qwen", qwen2, true},
                           GgufPreTokenizer{"stablelm2", qwen2},
                           GgufPreTokenizer{"tekken", tekken, false, true, true},
                           GgufPreTokenizer{"falcon", falcon},
                           GgufPreTokenizer{"bloom", bloom}};

}  // namespace

const GgufPreTokenizer& gguf_pretokenizer(std::string_view name, std::string_view place) {
  std::string known;
  for (const GgufPreTokenizer& pretokenizer : table) {
    if (pretokenizer.name == name) return pretokenizer;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", pretokenizer.name);
  }
  throw InputError(
      fmt::format("{}: {} is not supported; supported: {}", place, in_quotes(name), known));
}

nlohmann::ordered_json pretokenizer_json(const GgufPreTokenizer& pretokenizer) {
  auto steps = nlohmann::ordered_json::array();
  for (const std::string_view expression : pretokenizer.expressions) {
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", expression}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  }
  steps.push_back({{"type", "ByteLevel"},
                   {"add_prefix_space", false},
                   {"trim_offsets", true},
                   {"use_regex", false}});
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

}  // namespace evenkeel
