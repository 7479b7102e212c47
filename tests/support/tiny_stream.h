// The first block of a tiny OPT and the hidden states of some windows, for tests of what happens
// to one block.
#pragma once

#include <vector>

#include "calib/hidden_stream.h"
#include "io/checkpoint.h"
#include "model/block.h"
#include "model/language_model.h"
#include "support/scratch_folder.h"
#include "support/tiny_opt.h"

namespace evenkeel::support {

class TinyStream {
 public:
  explicit TinyStream(std::size_t windows = 5, std::size_t length = 12, const TinyOpt& options = {})
      : checkpoint_(write_tiny_opt(scratch_ / "model", options)), model_(checkpoint_) {
    for (std::size_t window = 0; window < windows; ++window) {
      Tokens tokens;
      for (std::size_t i = 0; i < length; ++i) {
        tokens.push_back(static_cast<TokenId>((window * 71 + i * 37) % 262));
      }
      windows_.push_back(std::move(tokens));
    }
    stream_ = HiddenStream(model_, windows_);
  }

  const LanguageModel& model() const { return model_; }
  const Architecture& architecture() const { return model_.architecture(); }
  const std::vector<Tokens>& windows() const { return windows_; }
  HiddenStream& stream() { return stream_; }
  const HiddenStream& stream() const { return stream_; }
  Block block(Index number = 0) const { return load_block(checkpoint_, architecture(), number); }

 private:
  ScratchFolder scratch_;
  Checkpoint checkpoint_;
  LanguageModel model_;
  std::vector<Tokens> windows_;
  HiddenStream stream_;
};

}  // namespace evenkeel::support
