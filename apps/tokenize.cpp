// calibrate tokenize: the ids of a text.
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/command.h"
#include "apps/figures.h"
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
of ids. With --json: {"ids": [...]}, a list of lists with --lines.
For --json see calibrate --help.)";

struct TokenizeArguments {
  std::string checkpoint;
  std::string file;
  bool lines = false;
  bool special = false;
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

/// Names the file, and the line among several, in what is wrong with a text.
Tokens encode(const Tokenizer& tokenizer, std::string_view text, bool special,
              const std::string& where) {
  try {
    return tokenizer.encode(text, special);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", where, error.what()));
  }
}

Outcome tokenize(const TokenizeArguments& arguments, const ProgramOptions& options) {
  const Tokenizer tokenizer(std::filesystem::path(arguments.checkpoint) / "tokenizer.json");
  const std::string text = text_of(arguments.file);
  const std::string name = arguments.file == "-" ? "stdin" : arguments.file;
  if (!arguments.lines) {
    const Tokens ids = encode(tokenizer, text, arguments.special, name);
    return {options.json ? document({{"ids", ids}}) : fmt::format("{}\n", fmt::join(ids, " ")), ""};
  }
  auto all = nlohmann::ordered_json::array();
  std::string results;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(text)) {
    const Tokens ids =
        encode(tokenizer, line, arguments.special, fmt::format("{}:{}", name, ++number));
    if (options.json) {
      all.push_back(ids);
    } else {
      results += fmt::format("{}\n", fmt::join(ids, " "));
    }
  }
  return {options.json ? document({{"ids", all}}) : results, ""};
}

}  // namespace

void add_tokenize(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("tokenize", "Token ids of a text");
  command->footer(footer);
  const auto arguments = std::make_shared<TokenizeArguments>();
  command->add_option("CHECKPOINT", arguments->checkpoint, "A folder with tokenizer.json")
      ->required();
  command->add_option("FILE", arguments->file, "A text file (UTF-8), or - for stdin")->required();
  command->add_flag("--lines", arguments->lines, "One line of ids for each line of the text");
  command->add_flag("--special", arguments->special,
                    "Add the special tokens that tokenizer.json asks for");
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return tokenize(*arguments, options); };
  });
}

}  // namespace evenkeel
