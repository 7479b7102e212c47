#include "io/labelled_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"
#include "io/json_reader.h"
#include "io/one_line.h"
#include "io/strict_json.h"
#include "io/text_lines.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

struct TextColumns {
  std::string_view first, second;  // second "": a single text
};

// The first that a header has is taken, so that pairs come before single texts.
constexpr std::array text_columns{
    TextColumns{"sentence1", "sentence2"}, TextColumns{"question1", "question2"},
    TextColumns{"question", "sentence"},   TextColumns{"premise", "hypothesis"},
    TextColumns{"#1 String", "#2 String"}, TextColumns{"text", "text_pair"},
    TextColumns{"sentence", ""},           TextColumns{"text", ""},
};
constexpr std::array<std::string_view, 4> label_columns{"label", "gold_label", "is_duplicate",
                                                        "Quality"};
constexpr std::array<std::string_view, 2> value_columns{"score", "label"};

// What stands beside a text.
struct TextLabels {
  const LabelNames* names = nullptr;  // classes
  bool values = false;                // or numbers

  bool any() const { return values || names != nullptr; }
};

using Fields = std::vector<std::string_view>;

Fields split(std::string_view line) {
  Fields fields;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find('\t', begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

std::optional<std::size_t> index_in(const Fields& header, std::string_view name) {
  const auto found = std::ranges::find(header, name);
  if (name.empty() || found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

Index label_of_number(const TextLine& line, std::int64_t number, const LabelNames& labels) {
  if (number < 0 || number >= labels.count()) {
    line.refuse(
        fmt::format("label {} is outside the model's classes 0 to {}; use the labels of the "
                    "task that the model was trained for",
                    number, labels.count() - 1));
  }
  return number;
}

double value_of(const TextLine& line, std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    line.refuse(fmt::format("expected a number as its value; got {}", in_quotes(text)));
  }
  return value;
}

Index label_named(const TextLine& line, std::string_view name, const LabelNames& labels) {
  if (const auto label = labels.named(name)) return *label;
  std::string known;
  constexpr Index most_shown = 8;
  for (Index i = 0; i < std::min(labels.count(), most_shown); ++i) {
    known += fmt::format("{}{}", i == 0 ? "" : ", ", one_line(labels.name(i)));
  }
  if (labels.count() > most_shown) known += ", ...";
  if (labels.only_numbered()) {
    line.refuse(
        fmt::format("label {} is unknown; config.json only has {} for its classes; write "
                    "the classes' own names there, under id2label in the order of the "
                    "model's outputs",
                    in_quotes(name), known));
  }
  line.refuse(
      fmt::format("label {} is unknown; config.json names {} (id2label); use these names, "
                  "or numbers",
                  in_quotes(name), known));
}

class TsvTexts {
 public:
  explicit TsvTexts(const TextLabels& labels) : labels_(labels) {}

  std::optional<LabelledText> read(const TextLine& line) {
    const Fields fields = split(line.text);
    if (columns_ == 0 && is_cola(fields)) {
      columns_ = fields.size();
      label_ = cola_label;
      first_ = cola_text;
    } else if (columns_ == 0) {
      read_header(line, fields);
      return std::nullopt;
    }
    if (fields.size() != columns_) {
      line.refuse(fmt::format("{} columns, but the header has {}; separate columns by one tab each",
                              fields.size(), columns_));
    }
    LabelledText text{
        .text = std::string(fields[first_]), .pair = std::nullopt, .line = line.number};
    if (second_) text.pair = std::string(fields[*second_]);
    if (labels_.values) text.value = value_of(line, fields[label_]);
    if (labels_.names != nullptr) text.label = label_of(line, fields[label_]);
    return text;
  }

 private:
  static constexpr std::size_t cola_label = 1;
  static constexpr std::size_t cola_text = 3;

  static bool is_cola(const Fields& fields) {
    return fields.size() == 4 && (fields[cola_label] == "0" || fields[cola_label] == "1");
  }

  void read_header(const TextLine& line, const Fields& header) {
    const auto chosen = std::ranges::find_if(text_columns, [&](const TextColumns& columns) {
      return index_in(header, columns.first) &&
             (columns.second.empty() || index_in(header, columns.second));
    });
    if (chosen == text_columns.end()) {
      line.refuse(
          fmt::format("the header has no column of text; name it 'sentence', or 'sentence1' "
                      "and 'sentence2'; got {}",
                      in_quotes(fmt::format("{}", fmt::join(header, ", ")))));
    }
    first_ = *index_in(header, chosen->first);
    second_ = index_in(header, chosen->second);
    const auto known = labels_.values ? std::span<const std::string_view>(value_columns)
                                      : std::span<const std::string_view>(label_columns);
    const auto label = std::ranges::find_if(
        known, [&](std::string_view name) { return index_in(header, name).has_value(); });
    if (label != known.end()) {
      label_ = *index_in(header, *label);
    } else if (labels_.any()) {
      line.refuse(fmt::format("the header has no column of {}; name it '{}'; got {}",
                              labels_.values ? "values" : "labels", known.front(),
                              in_quotes(fmt::format("{}", fmt::join(header, ", ")))));
    }
    columns_ = header.size();
  }

  Index label_of(const TextLine& line, std::string_view text) const {
    if (const auto named = labels_.names->named(text)) return *named;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return label_named(line, text, *labels_.names);
    }
    return label_of_number(line, number, *labels_.names);
  }

  TextLabels labels_;
  std::size_t columns_ = 0;  // 0: the header is still to come
  std::size_t first_ = 0;
  std::optional<std::size_t> second_;
  std::size_t label_ = 0;
};

Index label_in(const TextLine& line, const JsonReader& object, const LabelNames& labels) {
  const auto label = object.document().find("label");
  if (label == object.document().end()) {
    line.refuse("'label' is missing; give each text the number or the name of its class");
  }
  if (label->is_string()) return label_named(line, label->get<std::string>(), labels);
  if (label->is_number_unsigned() &&
      label->get<std::uint64_t>() >= static_cast<std::uint64_t>(labels.count())) {
    line.refuse(
        fmt::format("label {} is outside the model's classes 0 to {}; use the labels of "
                    "the task that the model was trained for",
                    label->get<std::uint64_t>(), labels.count() - 1));
  }
  if (!label->is_number_integer()) line.refuse("'label': expected an integer or a name");
  return label_of_number(line, label->get<std::int64_t>(), labels);
}

double value_in(const TextLine& line, const JsonReader& object) {
  for (const std::string_view key : value_columns) {
    const auto value = object.document().find(key);
    if (value == object.document().end()) continue;
    if (value->is_number()) return value->get<double>();
    line.refuse(fmt::format("'{}': expected a number", key));
  }
  line.refuse("'score' is missing; give each text its value");
}

LabelledText read_json_line(const TextLine& line, const TextLabels& labels) {
  const fs::path place = line.place();
  const JsonReader object(place, parse_json(place, line.text, line.offset));
  LabelledText text{.text = object.text("text"), .pair = std::nullopt, .line = line.number};
  if (object.has("text_pair")) text.pair = object.text("text_pair");
  if (labels.values) text.value = value_in(line, object);
  if (labels.names != nullptr) text.label = label_in(line, object, *labels.names);
  return text;
}

using ReadLine = std::function<std::optional<LabelledText>(const TextLine&)>;

// How lines of that kind of file are read.
ReadLine reader_for(const fs::path& file, const TextLabels& labels) {
  const std::string kind = file.extension().string();
  if (kind == ".tsv") {
    return [texts = TsvTexts(labels)](const TextLine& line) mutable { return texts.read(line); };
  }
  if (kind == ".jsonl") {
    return [labels](const TextLine& line) { return read_json_line(line, labels); };
  }
  if (kind == ".txt" && !labels.any()) {
    return [](const TextLine& line) {
      return LabelledText{
          .text = std::string(line.text), .pair = std::nullopt, .line = line.number};
    };
  }
  throw InputError(fmt::format(
      "{}: {}", file.string(),
      kind == ".txt" ? std::string("text without labels; give a .tsv (sentence, label) or a .jsonl "
                                   "(\"text\", \"label\")")
                     : fmt::format("unknown kind of texts {}; known are .tsv, .jsonl{}",
                                   in_quotes(kind), labels.any() ? "" : " and .txt")));
}

std::vector<LabelledText> read_texts(const fs::path& file, const TextLabels& labels,
                                     std::optional<std::int64_t> limit) {
  const ReadLine read = reader_for(file, labels);
  const std::size_t most = limit ? static_cast<std::size_t>(*limit) : SIZE_MAX;
  std::vector<LabelledText> texts;
  for_each_line(file, [&](const TextLine& line) {
    auto text = read(line);
    if (text && texts.size() < most) texts.push_back(std::move(*text));
  });
  if (texts.empty()) {
    throw InputError(fmt::format("{}: holds no text; give one a line", file.string()));
  }
  return texts;
}

}  // namespace

std::vector<LabelledText> read_labelled_texts(const fs::path& file, const LabelNames* labels,
                                              std::optional<std::int64_t> limit) {
  return read_texts(file, {.names = labels}, limit);
}

std::vector<LabelledText> read_valued_texts(const fs::path& file,
                                            std::optional<std::int64_t> limit) {
  return read_texts(file, {.values = true}, limit);
}

bool can_hold_labels(const fs::path& file) {
  return file.extension() == ".tsv" || file.extension() == ".jsonl";
}

}  // namespace evenkeel
