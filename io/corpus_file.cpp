#include "io/corpus_file.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/json_reader.h"
#include "io/labelled_text.h"
#include "io/safetensors.h"
#include "io/strict_json.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ids_name = "input_ids";

void refuse_outside(std::int64_t id, std::size_t position, const fs::path& file,
                    TokenId vocabulary_size) {
  throw InputError(fmt::format(
      "{}: token {} has id {}, which is outside the model's vocabulary [0, {}); use the tokenizer "
      "and the ids of this model",
      file.string(), position, id, vocabulary_size));
}

// Ids of a file of `samples` rows; each is checked before it is narrowed.
template <class Integer>
std::vector<Tokens> rows_of(std::span<const Integer> ids, std::size_t samples, const fs::path& file,
                            TokenId vocabulary_size) {
  if (ids.empty()) return {};  // whatever the number of empty samples
  const std::size_t length = ids.size() / samples;
  std::vector<Tokens> rows(samples, Tokens(length));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocabulary_size) {
      refuse_outside(ids[i], i, file, vocabulary_size);
    }
    rows[i / length][i % length] = static_cast<TokenId>(ids[i]);
  }
  return rows;
}

std::size_t samples_of(const std::vector<std::int64_t>& shape, const fs::path& file) {
  if (shape.size() != 2) {
    throw InputError(fmt::format("{}: {}: expected a shape of [samples, length], got {} dimensions",
                                 file.string(), ids_name, shape.size()));
  }
  return static_cast<std::size_t>(shape[0]);
}

std::vector<Tokens> read_hdf5_rows(const fs::path& file, TokenId vocabulary_size) {
  const Hdf5Reader reader(file);
  const std::string path(ids_name);
  const std::size_t samples = samples_of(reader.shape(path), file);
  const std::vector<std::int64_t> ids = reader.integers(path);
  return rows_of<std::int64_t>(ids, samples, file, vocabulary_size);
}

template <class Integer>
std::vector<Integer> integers_of(const StoredTensor& tensor) {
  // By copy: a tensor of a hostile file need not be aligned.
  std::vector<Integer> values(tensor.bytes.size() / sizeof(Integer));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

std::vector<Tokens> read_safetensors_rows(const fs::path& file, TokenId vocabulary_size) {
  const SafetensorsFile tensors(file);
  const StoredTensor& tensor = tensors.at(ids_name);
  const std::size_t samples = samples_of(tensor.shape, file);
  switch (tensor.dtype) {
    case DType::I32:
      return rows_of<std::int32_t>(integers_of<std::int32_t>(tensor), samples, file,
                                   vocabulary_size);
    case DType::I64:
      return rows_of<std::int64_t>(integers_of<std::int64_t>(tensor), samples, file,
                                   vocabulary_size);
    default:
      throw InputError(fmt::format("{}: {}: expected I32 or I64, got {}", file.string(), ids_name,
                                   name_of(tensor.dtype)));
  }
}

// Every text is parsed, even where the first few would do: a fault in a later line is a fault of
// the file, and it is the tokenizing that takes the time.
std::string joined_texts(const fs::path& file, std::string_view lines) {
  std::string joined;
  bool first = true;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = lines.substr(begin, end - begin);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      const fs::path where = fmt::format("{}:{}", file.string(), number);
      const JsonReader object(where, parse_json(where, line, begin));
      if (!first) joined += "\n\n";
      joined += object.text("text");
      first = false;
    }
    begin = end + 1;
  }
  return joined;
}

std::string joined_columns(const fs::path& file) {
  std::string joined;
  for (const LabelledText& text : read_labelled_texts(file, nullptr)) {
    joined += joined.empty() ? "" : "\n\n";
    joined += text.text;
    if (text.pair) joined += "\n\n" + *text.pair;
  }
  return joined;
}

}  // namespace

bool holds_token_ids(const fs::path& file) {
  return file.extension() == ".h5" || file.extension() == ".safetensors";
}

std::string read_corpus_text(const fs::path& file) {
  const std::string kind = file.extension().string();
  if (kind == ".tsv") return joined_columns(file);
  if (kind != ".txt" && kind != ".jsonl") {
    throw InputError(fmt::format(
        "{}: unknown kind of corpus '{}'; known are .txt, .jsonl, .tsv, .h5 and .safetensors",
        file.string(), kind));
  }
  const MappedFile mapped(file);
  return kind == ".txt" ? std::string(mapped.text()) : joined_texts(file, mapped.text());
}

Tokens encode_corpus_text(const fs::path& file, std::string_view text, std::size_t limit,
                          const Tokenizer* tokenizer, TokenId vocabulary_size) {
  if (tokenizer == nullptr) {
    throw InputError(fmt::format(
        "{}: text needs the tokenizer.json of the checkpoint; add it, or give token ids (.h5, "
        ".safetensors)",
        file.string()));
  }
  // Checked here, though the tokenizer does as well, to name the file.
  if (const auto offset = first_invalid_utf8(text)) {
    throw InputError(
        fmt::format("{}: not valid UTF-8 at byte {}; convert it", file.string(), *offset));
  }
  Tokens ids = tokenizer->encode_first(text, limit);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= vocabulary_size) refuse_outside(ids[i], i, file, vocabulary_size);
  }
  return ids;
}

std::vector<Tokens> read_token_rows(const fs::path& file, std::size_t limit,
                                    const Tokenizer* tokenizer, TokenId vocabulary_size) {
  const std::string kind = file.extension().string();
  if (kind == ".h5") return read_hdf5_rows(file, vocabulary_size);
  if (kind == ".safetensors") return read_safetensors_rows(file, vocabulary_size);
  if (kind == ".txt") {  // which may be large, and is not copied
    return {encode_corpus_text(file, MappedFile(file).text(), limit, tokenizer, vocabulary_size)};
  }
  return {encode_corpus_text(file, read_corpus_text(file), limit, tokenizer, vocabulary_size)};
}

}  // namespace evenkeel
