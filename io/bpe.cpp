#include "io/bpe.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "io/byte_level.h"
#include "io/errors.h"
#include "io/merge_table.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

// Words of language are shorter; for them a scan of all pairs beats a heap.
constexpr std::size_t longest_scanned = 32;

using Json = nlohmann::ordered_json;

class Bpe : public TokenModel {
 public:
  Bpe(const ComponentSettings& settings, WordBytes word_bytes);

  void append_ids(std::string_view word, Tokens& ids) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  void read_vocabulary(const ComponentSettings& settings);
  void read_merges(const ComponentSettings& settings);
  TokenId known(std::string_view token, std::string_view where) const;

  void append_symbols(std::string_view word, Tokens& ids) const;
  void append_unknown(std::string_view symbol, bool after_unknown, Tokens& ids) const;
  bool append_bytes(std::string_view symbol, Tokens& ids) const;

  std::string where_;
  WordBytes word_bytes_;
  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<std::optional<TokenId>, 256> byte_ids_;  // of WordBytes::byte_level
  std::string unknown_token_;                         // empty: none
  bool fuse_unknown_;
  bool byte_fallback_;
  bool ignore_merges_;
};

void refuse_setting(const ComponentSettings& settings, std::string_view key,
                    std::string_view neutral) {
  throw InputError(
      fmt::format("{}: '{}' is not supported; only {} is", settings.path().string(), key, neutral));
}

Bpe::Bpe(const ComponentSettings& settings, WordBytes word_bytes)
    : where_(settings.path().string()),
      word_bytes_(word_bytes),
      unknown_token_(settings.text("unk_token", "")),
      fuse_unknown_(settings.boolean("fuse_unk", false)),
      byte_fallback_(settings.boolean("byte_fallback", false)),
      ignore_merges_(settings.boolean("ignore_merges", false)) {
  if (settings.number("dropout", 0) != 0) refuse_setting(settings, "dropout", "null");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!settings.text(key, "").empty()) refuse_setting(settings, key, "null");
  }
  read_vocabulary(settings);
  read_merges(settings);
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    byte_ids_.at(byte) = vocabulary_.find(byte_level_symbol(static_cast<std::uint8_t>(byte)));
  }
}

void Bpe::read_vocabulary(const ComponentSettings& settings) {
  const auto vocab = settings.document().find("vocab");
  if (vocab == settings.document().end() || !vocab->is_object() || vocab->empty()) {
    throw InputError(
        fmt::format("{}: 'vocab': expected an object of tokens and their ids", where_));
  }
  const std::string where = where_ + ".vocab";
  for (const auto& [token, id] : vocab->items()) {
    const std::string place = fmt::format("{}: {}", where, in_quotes(token));
    vocabulary_.add(token, token_id_of(id, place), where);
  }
}

// The two sides of a merge: ["a", "b"], or "a b" in older files.
std::pair<std::string_view, std::string_view> sides_of(const Json& merge, std::string_view where) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  throw InputError(fmt::format(R"({}: expected a merge, "a b" or ["a", "b"])", where));
}

void Bpe::read_merges(const ComponentSettings& settings) {
  const auto list = settings.document().find("merges");
  if (list == settings.document().end() || !list->is_array()) {
    throw InputError(fmt::format("{}: 'merges': expected a list", where_));
  }
  if (list->size() >= Merge::no_rank) {
    throw InputError(fmt::format("{}: 'merges': {} are too many", where_, list->size()));
  }
  merges_ = MergeTable(list->size());
  for (std::uint32_t rank = 0; rank < list->size(); ++rank) {
    const std::string where = fmt::format("{}.merges[{}]", where_, rank);
    const auto [left, right] = sides_of((*list)[rank], where);
    const TokenId left_id = known(left, where);
    const TokenId right_id = known(right, where);
    merges_.set(left_id, right_id, {rank, known(fmt::format("{}{}", left, right), where)});
  }
}

TokenId Bpe::known(std::string_view token, std::string_view where) const {
  const std::optional<TokenId> id = vocabulary_.find(token);
  if (!id)
    throw InputError(fmt::format("{}: {} is not in the vocabulary", where, in_quotes(token)));
  return *id;
}

void Bpe::append_ids(std::string_view word, Tokens& ids) const {
  if (ignore_merges_) {
    const std::optional<TokenId> whole = word_bytes_ == WordBytes::byte_level
                                             ? vocabulary_.find(to_byte_level(word))
                                             : vocabulary_.find(word);
    if (whole) {
      ids.push_back(*whole);
      return;
    }
  }
  const std::size_t first = ids.size();
  append_symbols(word, ids);
  if (ids.size() - first <= longest_scanned) {
    merge_by_scan(merges_, ids, first);
  } else {
    merge_by_heap(merges_, ids, first);
  }
}

void Bpe::append_symbols(std::string_view word, Tokens& ids) const {
  bool after_unknown = false;
  const auto append = [&](std::optional<TokenId> id, std::string_view symbol) {
    if (id) {
      ids.push_back(*id);
    } else {
      append_unknown(symbol, after_unknown, ids);
    }
    after_unknown = !id;
  };
  if (word_bytes_ == WordBytes::byte_level) {
    for (const char c : word) {
      const auto byte = static_cast<std::uint8_t>(c);
      append(byte_ids_[byte], byte_level_symbol(byte));
    }
  } else {
    for (std::size_t i = 0; i < word.size();) {
      const std::string_view symbol = word.substr(i, utf8_size(word[i]));
      append(vocabulary_.find(symbol), symbol);
      i += symbol.size();
    }
  }
}

void Bpe::append_unknown(std::string_view symbol, bool after_unknown, Tokens& ids) const {
  if (byte_fallback_ && append_bytes(symbol, ids)) return;
  if (unknown_token_.empty() || (after_unknown && fuse_unknown_)) return;
  ids.push_back(known(unknown_token_, where_ + ".unk_token"));
}

bool Bpe::append_bytes(std::string_view symbol, Tokens& ids) const {
  const std::size_t before = ids.size();
  for (const char byte : symbol) {
    const std::optional<TokenId> id =
        vocabulary_.find(fmt::format("<0x{:02X}>", static_cast<std::uint8_t>(byte)));
    if (!id) {
      ids.resize(before);
      return false;
    }
    ids.push_back(*id);
  }
  return true;
}

}  // namespace

std::unique_ptr<const TokenModel> make_bpe(const ComponentSettings& settings,
                                           WordBytes word_bytes) {
  return std::make_unique<const Bpe>(settings, word_bytes);
}

}  // namespace evenkeel
