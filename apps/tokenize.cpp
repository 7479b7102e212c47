// calibrate tokenize: the ids of a text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "io/checkpoint_store.h"
#include "io/encoding.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/tokenizer.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate tokenize path/to/checkpoint text.txt
  calibrate tokenize path/to/checkpoint text.txt --lines --special
  echo 'some text' | calibrate tokenize path/to/checkpoint - --lines
With --lines each line is a text of its own, without the newline that ends it, and gives one line
of ids. With --pairs a line is two texts with a tab between them, encoded together with special
tokens, as for a classifier of sentence pairs. With --json: {"ids": [...]}, a list of lists with
--lines; with --special or --pairs also "token_types".
For --json see calibrate --help.)";

struct TokenizeArguments {
  std::string checkpoint;
  std::string file;
  bool lines = false;
  bool pairs = false;
  bool special = false;
  std::size_t max_length = SIZE_MAX;
};

std::string text_of(const std::string& file) {
  if (file != "-") return read_text(file);
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (std::cin.bad()) throw InputError("stdin: cannot be read");
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
  }
  return lines;
}

Encoding encode(const Tokenizer& tokenizer, std::string_view text,
                const TokenizeArguments& arguments) {
  if (arguments.pairs) {
    const std::size_t tab = text.find('\t');
    if (tab == std::string_view::npos) {
      throw InputError("expected two texts with a tab between them, but there is no tab");
    }
    return tokenizer.encode_pair(text.substr(0, tab), text.substr(tab + 1), arguments.max_length);
  }
  if (arguments.special) return tokenizer.encode_single(text, arguments.max_length);
  return {tokenizer.encode_first(text, arguments.max_length), {}};
}

/// Names the file, and the line among several, in what is wrong with a text.
Encoding encode(const Tokenizer& tokenizer, std::string_view text,
                const TokenizeArguments& arguments, const std::string& where) {
  try {
    return encode(tokenizer, text, arguments);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

Outcome tokenize(const TokenizeArguments& arguments, const ProgramOptions& options) {
  const Tokenizer tokenizer = open_checkpoint_store(arguments.checkpoint)->tokenizer();
  const std::string text = text_of(arguments.file);
  const std::string name = arguments.file == "-" ? "stdin" : arguments.file;
  const bool by_line = arguments.lines || arguments.pairs;
  auto ids = nlohmann::ordered_json::array();
  auto types = nlohmann::ordered_json::array();
  std::string results;
  std::size_t number = 0;
  for (const std::string_view each :
       by_line ? lines_of(text) : std::vector{std::string_view(text)}) {
    ++number;
    const Encoding made =
        encode(tokenizer, each, arguments, by_line ? fmt::format("{}:{}", name, number) : name);
    if (options.json) {
      ids.push_back(made.ids);
      types.push_back(made.types);
    } else {
      results += fmt::format("{}\n", fmt::join(made.ids, " "));
    }
  }
  if (!options.json) return {results, ""};
  nlohmann::ordered_json result = {{"ids", by_line ? ids : ids.front()}};
  if (arguments.special || arguments.pairs) result["token_types"] = by_line ? types : types.front();
  return {document(result), ""};
}

}  // namespace

void add_tokenize(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("tokenize", "Token ids of a text");
  command->footer(footer);
  const auto arguments = std::make_shared<TokenizeArguments>();
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  command
      ->add_option("CHECKPOINT", arguments->checkpoint,
                   "A folder with tokenizer.json, or a GGUF file")
      ->required();
  command->add_option("FILE", arguments->file, "A text file (UTF-8), or - for stdin")->required();
  command->add_flag("--lines", arguments->lines, "One line of ids for each line of the text");
  command->add_flag("--special", arguments->special,
                    "Add the special tokens that tokenizer.json asks for");
  command->add_flag("--pairs", arguments->pairs,
                    "Each line is two texts with a tab between them; adds special tokens");
  command
      ->add_option("--max-length", arguments->max_length,
                   "At most N ids of each text or pair, special tokens included")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, most));
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return tokenize(*arguments, options); };
  });
}

}  // namespace evenkeel
