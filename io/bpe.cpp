#include "io/bpe.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "io/byte_fallback.h"
#include "io/byte_level.h"
#include "io/errors.h"
#include "io/merge_boundaries.h"
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
  bool split(std::string_view word, const PartSink& sink) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

 private:
  void read_merges(const ComponentSettings& settings);
  TokenId known(std::string_view token, std::string_view where) const;

  // Of a character of WordBytes::text.
  std::optional<TokenId> symbol(std::string_view character) const {
    return character.size() == 1 ? byte_ids_[static_cast<std::uint8_t>(character.front())]
                                 : vocabulary_.find(character);
  }
  void append_symbols(std::string_view word, Tokens& ids) const;
  TokenId unknown_id() const;

  std::string where_;
  WordBytes word_bytes_;
  Vocabulary vocabulary_;
  MergeTable merges_;
  MergeBoundaries boundaries_;                        // of WordBytes::text
  std::array<std::optional<TokenId>, 256> byte_ids_;  // of symbols of one byte
  std::string unknown_token_;                         // empty: none
  bool fuse_unknown_;
  std::optional<ByteFallback> byte_fallback_;
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
      vocabulary_(vocabulary_of(settings)),
      unknown_token_(settings.text("unk_token", "")),
      fuse_unknown_(settings.boolean("fuse_unk", false)),
      ignore_merges_(settings.boolean("ignore_merges", false)) {
  if (settings.number("dropout", 0) != 0) refuse_setting(settings, "dropout", "null");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!settings.text(key, "").empty()) refuse_setting(settings, key, "null");
  }
  if (settings.boolean("byte_fallback", false)) byte_fallback_.emplace(vocabulary_);
  read_merges(settings);
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const auto character = static_cast<char>(byte);
    byte_ids_.at(byte) = word_bytes_ == WordBytes::byte_level
                             ? vocabulary_.find(byte_level_symbol(static_cast<std::uint8_t>(byte)))
                             : vocabulary_.find({&character, 1});
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
    if (word_bytes_ == WordBytes::text) boundaries_.add(left, right);
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

// Between two characters that are symbols and that no merge joins. (What is spelt in bytes or is
// unknown has other symbols than its characters, and fuses with those beside it.)
bool Bpe::split(std::string_view word, const PartSink& sink) const {
  if (word_bytes_ != WordBytes::text || ignore_merges_) return sink(word);
  std::size_t done = 0;
  for (std::size_t before = 0, i = utf8_size(word.front()); i < word.size();) {
    const std::size_t end = i + utf8_size(word[i]);
    if (!boundaries_.joins(utf8_at(word, before), utf8_at(word, i)) &&
        symbol(word.substr(before, i - before)) && symbol(word.substr(i, end - i))) {
      if (!sink(word.substr(done, i - done))) return false;
      done = i;
    }
    before = i;
    i = end;
  }
  return sink(word.substr(done));
}

void Bpe::append_symbols(std::string_view word, Tokens& ids) const {
  // One unknown symbol waits for those that fuse with it. Bytes do not flush it: where some bytes
  // have tokens and others have none, the library puts it after them, and so does this.
  bool unknown_waits = false;
  const auto flush_unknown = [&] {
    if (std::exchange(unknown_waits, false)) ids.push_back(unknown_id());
  };
  const auto append = [&](std::optional<TokenId> id, std::string_view text) {
    if (id) {
      flush_unknown();
      ids.push_back(*id);
    } else if ((!byte_fallback_ || !byte_fallback_->append_ids(text, ids)) &&
               !unknown_token_.empty()) {
      if (!fuse_unknown_) flush_unknown();
      unknown_waits = true;
    }
  };
  if (word_bytes_ == WordBytes::byte_level) {
    for (const char c : word) {
      const auto byte = static_cast<std::uint8_t>(c);
      append(byte_ids_[byte], byte_level_symbol(byte));
    }
  } else {
    for (std::size_t i = 0; i < word.size();) {
      const std::string_view character = word.substr(i, utf8_size(word[i]));
      append(symbol(character), character);
      i += character.size();
    }
  }
  flush_unknown();
}

TokenId Bpe::unknown_id() const { return known(unknown_token_, where_ + ".unk_token"); }

}  // namespace

std::unique_ptr<const TokenModel> make_bpe(const ComponentSettings& settings,
                                           WordBytes word_bytes) {
  return std::make_unique<const Bpe>(settings, word_bytes);
}

}  // namespace evenkeel
