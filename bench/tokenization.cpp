// Text to token ids: bytes of text a second, of one thread. For each tokenizer that is there, a
// text of language, and one in which no word comes twice, so that nothing can be remembered.
// Names are FOLDER/TEXT, of ../shared where that is beside the checkout, else of
// configs/quickstart.
#include "bench/bench_count.h"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file.h"
#include "io/tokenizer.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t text_bytes = std::size_t{1} << 22;

// The "text" of each line, as a job joins them.
std::string joined_lines(const std::string& lines) {
  std::string joined;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    joined += nlohmann::json::parse(lines.substr(begin, end - begin)).at("text");
    joined += "\n\n";
    begin = end == std::string::npos ? lines.size() : end + 1;
  }
  return joined;
}

// Words of random letters; 26^8 of them make one that comes twice rare.
std::string new_words() {
  std::mt19937 engine(7);
  std::uniform_int_distribution<int> letter('a', 'z');
  std::uniform_int_distribution<int> length(4, 12);
  std::string text;
  while (text.size() < text_bytes) {
    for (int left = length(engine); left > 0; --left) text += static_cast<char>(letter(engine));
    text += ' ';
  }
  return text;
}

void encode(benchmark::State& state, const Tokenizer& tokenizer, const std::string& text) {
  std::size_t ids = 0;
  for (auto _ : state) ids = tokenizer.encode(text).size();
  count_bytes(state, static_cast<double>(text.size()));
  state.counters["bytes_per_token"] = static_cast<double>(text.size()) / static_cast<double>(ids);
}

std::vector<std::pair<std::string, std::string>> texts(const fs::path& root,
                                                       const fs::path& shared) {
  std::vector<std::pair<std::string, std::string>> found;
  if (fs::exists(shared)) {
    found.emplace_back("corpus", joined_lines(read_text(shared / "data/corpus/calibration.jsonl")));
    found.emplace_back("wikitext2", read_text(shared / "data/wikitext2/test.txt"));
    found.emplace_back("russian", read_text(shared / "data/flores200/rus_Cyrl.dev.txt"));
    found.emplace_back("japanese", read_text(shared / "data/flores200/jpn_Jpan.dev.txt"));
  } else {
    found.emplace_back("calibration.txt", read_text(root / "configs/quickstart/calibration.txt"));
  }
  found.emplace_back("new_words", new_words());
  return found;
}

void register_all() {
  const fs::path root = EVENKEEL_SOURCE_DIR;
  const fs::path shared = root.parent_path() / "shared";
  std::vector<fs::path> folders{root / "configs/quickstart/opt-3m-outlier"};
  if (fs::exists(shared)) folders = {shared / "models/opt-17m-old", shared / "models/bert-sst2"};
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before main
  if (const char* other = std::getenv("EVENKEEL_BENCH_TOKENIZER")) folders.emplace_back(other);
  // Kept for as long as the benchmarks, which run after this.
  static const std::vector<std::pair<std::string, std::string>> all_texts = texts(root, shared);
  for (const fs::path& folder : folders) {
    const auto tokenizer = std::make_shared<const Tokenizer>(folder / "tokenizer.json");
    for (const auto& [text_name, text] : all_texts) {
      const std::string name = fmt::format("tokenize/{}/{}", folder.filename().string(), text_name);
      benchmark::RegisterBenchmark(
          name.c_str(),
          [tokenizer, &text = text](benchmark::State& state) { encode(state, *tokenizer, text); });
    }
  }
}

[[maybe_unused]] const bool registered = (register_all(), true);

}  // namespace
}  // namespace evenkeel
