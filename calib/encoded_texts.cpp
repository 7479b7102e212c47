#include "calib/encoded_texts.h"

#include <algorithm>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "io/errors.h"

namespace evenkeel {

std::vector<Encoding> encode_texts(const LanguageModel& model, const Tokenizer& tokenizer,
                                   const std::filesystem::path& file,
                                   const std::vector<LabelledText>& texts, std::int64_t length) {
  const Index positions = model.architecture().positions;  // 0: no limit
  const auto most =
      static_cast<std::size_t>(positions > 0 ? std::min<std::int64_t>(length, positions) : length);
  std::vector<Encoding> encodings(texts.size());
  tbb::parallel_for(std::size_t{0}, texts.size(), [&](std::size_t i) {
    const LabelledText& text = texts[i];
    encodings[i] = text.pair ? tokenizer.encode_pair(text.text, *text.pair, most)
                             : tokenizer.encode_single(text.text, most);
    if (encodings[i].ids.empty()) {
      throw InputError(fmt::format("{}:{}: the tokenizer makes no token of this text; leave it out",
                                   file.string(), text.line));
    }
  });
  return encodings;
}

}  // namespace evenkeel
