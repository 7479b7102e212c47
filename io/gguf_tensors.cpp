#include "io/gguf_tensors.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Change = GgufModule::Change;

constexpr std::string_view placeholder = "{}";
// Each becomes a tensor of its own, however small: far beyond any model.
constexpr std::int64_t most_experts = 1 << 14;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A tensor of the file and the rule that knows its module.
class Renaming {
 public:
  Renaming(const GgufFile& file, const GgufFamily& family, const StoredTensor& stored)
      : file_(file), stored_(stored) {
    const std::size_t dot = stored.name.rfind('.');
    const std::string_view name = stored.name;
    const std::string_view module = name.substr(0, dot);
    suffix_ = dot == std::string::npos ? "" : name.substr(dot);
    if (suffix_ == ".weight" || suffix_ == ".bias") {
      for (const GgufModule& rule : family.modules) {
        auto found = renamed(rule.gguf, rule.name, module);
        if (!found) continue;
        rule_ = &rule;
        name_ = std::move(*found);
        return;
      }
    }
    fail(fmt::format("is none that a model of type '{}' has; use the original checkpoint",
                     family.model_type));
  }

  std::vector<StoredTensor> apply() const {
    StoredTensor tensor = stored_;
    tensor.name = name_ + std::string(suffix_);
    switch (rule_->change) {
      case Change::left_out:
        return {};
      case Change::experts:
        return experts();
      case Change::query_rows:
        reorder(tensor, RowOrder::halves_interleaved, ".attention.head_count", 2);
        break;
      case Change::key_rows: {
        const std::string_view key = ".attention.head_count_kv";
        const bool grouped = file_.find(gguf_key(file_, key)) != nullptr;
        reorder(tensor, RowOrder::halves_interleaved, grouped ? key : ".attention.head_count", 2);
        break;
      }
      case Change::fused_rows:
        reorder(tensor, RowOrder::parts_together, ".attention.head_count", 3);
        break;
      case Change::one_added:
        tensor.offset = -1.0F;
        break;
      case Change::none:
        break;
    }
    return {std::move(tensor)};
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(
        fmt::format("{}: tensor {}: {}", file_.path().string(), in_quotes(stored_.name), what));
  }

  // `key` counts the heads, each of whose rows has `parts` of one size.
  void reorder(StoredTensor& tensor, RowOrder order, std::string_view key,
               std::int64_t parts) const {
    const std::string full = gguf_key(file_, key);
    const auto heads = file_.count(full);
    if (!heads) file_.missing(full);
    const std::int64_t rows = tensor.shape.front();
    if (*heads <= 0 || rows % *heads != 0 || rows / *heads % parts != 0) {
      fail(fmt::format("its {} rows are not those of {} heads ('{}') with a multiple of {} each",
                       rows, *heads, full, parts));
    }
    tensor.rows = order;
    tensor.heads = *heads;
  }

  // [experts, rows, columns] lies in the file as one expert after the other.
  std::vector<StoredTensor> experts() const {
    if (stored_.shape.size() != 3) {
      fail(fmt::format("expected [experts, rows, columns], got {}", stored_.shape_text()));
    }
    const std::string key = gguf_key(file_, ".expert_count");
    if (file_.integer(key) != stored_.shape.front()) {
      fail(fmt::format("holds {} experts, but metadata '{}' says otherwise", stored_.shape.front(),
                       key));
    }
    if (stored_.shape.front() > most_experts) {
      fail(fmt::format("holds {} experts; at most {} are supported", stored_.shape.front(),
                       most_experts));
    }
    const auto count = static_cast<std::size_t>(stored_.shape.front());
    const std::size_t bytes = stored_.bytes.size() / count;
    std::vector<StoredTensor> experts;
    for (std::size_t i = 0; i < count; ++i) {
      StoredTensor expert = stored_;
      expert.name = *renamed(placeholder, name_, std::to_string(i)) + std::string(suffix_);
      expert.shape.erase(expert.shape.begin());
      expert.bytes = stored_.bytes.subspan(i * bytes, bytes);
      expert.file_offset = stored_.file_offset + i * bytes;
      experts.push_back(std::move(expert));
    }
    return experts;
  }

  const GgufFile& file_;
  const StoredTensor& stored_;
  std::string_view suffix_;
  const GgufModule* rule_ = nullptr;
  std::string name_;
};

}  // namespace

std::optional<std::string> renamed(std::string_view pattern, std::string_view replacement,
                                   std::string_view name) {
  std::string result(replacement);
  std::size_t from = 0;
  for (;;) {
    const std::size_t hole = pattern.find(placeholder);
    const std::string_view literal = pattern.substr(0, hole);
    if (!name.starts_with(literal)) return std::nullopt;
    name.remove_prefix(literal.size());
    if (hole == std::string_view::npos) break;
    pattern.remove_prefix(hole + placeholder.size());
    const auto* const end = std::find_if_not(name.begin(), name.end(), is_digit);
    const auto digits = name.substr(0, static_cast<std::size_t>(end - name.begin()));
    if (digits.empty()) return std::nullopt;
    name.remove_prefix(digits.size());
    from = result.find(placeholder, from);
    if (from != std::string::npos) {
      result.replace(from, placeholder.size(), digits);
      from += digits.size();
    }
  }
  if (!name.empty()) return std::nullopt;
  return result;
}

std::vector<StoredTensor> gguf_tensors(const GgufFile& file, const GgufFamily& family) {
  std::vector<StoredTensor> tensors;
  std::set<std::string, std::less<>> names;
  for (const StoredTensor& stored : file.tensors()) {
    for (StoredTensor& tensor : Renaming(file, family, stored).apply()) {
      if (!names.insert(tensor.name).second) {
        throw InputError(
            fmt::format("{}: tensor {}: becomes {}, as another tensor does; convert "
                        "the model again",
                        file.path().string(), in_quotes(stored.name), in_quotes(tensor.name)));
      }
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

}  // namespace evenkeel
