// Tokens a second of the full-precision forward, embedding to logits, as JSON.
//   forward_speed CHECKPOINT TEXT WINDOWS LENGTH THREADS
// Windows run side by side, with all blocks in memory, as PyTorch has them; the best of several
// rounds. `mean_loss`, the mean negative log-likelihood of the next token, shows that the same was
// computed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "io/checkpoint.h"
#include "io/corpus.h"
#include "model/block.h"
#include "model/forward.h"
#include "model/language_model.h"

namespace evenkeel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;

class Forward {
 public:
  explicit Forward(const LanguageModel& model) : model_(model) {
    for (Index number = 0; number < model.architecture().blocks; ++number) {
      blocks_.push_back(load_block(model.checkpoint(), model.architecture(), number));
    }
  }

  Matrix logits(const Tokens& tokens, Workspace& workspace) const {
    Matrix hidden = model_.embed(tokens);
    NoTap tap;
    for (const Block& block : blocks_) {
      forward(model_.architecture(), block, hidden, {}, tap, workspace);
    }
    model_.finish(hidden);
    return model_.logits(hidden);
  }

 private:
  const LanguageModel& model_;
  std::vector<Block> blocks_;
};

double mean_loss(const Matrix& logits, const Tokens& tokens) {
  double sum = 0.0;
  for (Index row = 0; row + 1 < logits.rows(); ++row) {
    const auto scores = logits.row(row).cast<double>().eval();
    const double highest = scores.maxCoeff();
    sum += highest + std::log((scores.array() - highest).exp().sum()) -
           scores(tokens[static_cast<std::size_t>(row) + 1]);
  }
  return sum / static_cast<double>(logits.rows() - 1);
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 5) {
    throw std::runtime_error("give CHECKPOINT TEXT WINDOWS LENGTH THREADS");
  }
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  std::stoul(arguments[4]));
  const Checkpoint checkpoint(arguments[0]);
  const LanguageModel model(checkpoint);
  const Tokenizer tokenizer = checkpoint.store().tokenizer();
  const std::vector<Tokens> windows =
      read_windows(arguments[1], std::stol(arguments[3]), std::stol(arguments[2]), &tokenizer,
                   static_cast<TokenId>(model.architecture().vocabulary));
  const Forward forward(model);
  tbb::enumerable_thread_specific<Workspace> workspaces;
  std::vector<double> losses(windows.size());
  double best = 0.0;
  for (int round = 0; round < rounds; ++round) {
    const auto start = Clock::now();
    tbb::parallel_for(std::size_t{0}, windows.size(), [&](std::size_t i) {
      const Matrix logits = forward.logits(windows[i], workspaces.local());
      // Outside the time that counts.
      if (round == 0) losses[i] = mean_loss(logits, windows[i]);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const auto tokens = static_cast<double>(windows.size() * windows.front().size());
    if (round > 0) best = std::max(best, tokens / seconds);
  }
  const double loss =
      std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
  fmt::print("{}\n",
             nlohmann::ordered_json{{"tokens_per_second", best}, {"mean_loss", loss}}.dump(1));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace evenkeel

int main(int count, char** arguments) {
  try {
    return evenkeel::run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    fmt::print(stderr, "forward_speed: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
