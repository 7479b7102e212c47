// Texts one by one, each perhaps with a second text and a label: what classifiers are calibrated
// and evaluated on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/label_names.h"
#include "io/matrix.h"

namespace evenkeel {

/// By its extension a file is
///  .tsv    tab-separated with a header line, as GLUE distributes them, without quoting or escapes.
///          The texts are the columns of the first of these that the header has: sentence1 and
///          sentence2, question1 and question2, question and sentence, premise and hypothesis,
///          "#1 String" and "#2 String", text and text_pair, sentence, text. The label is the
///          column label, gold_label, is_duplicate or Quality, a value (of STS-B) the column score
///          or label; other columns are not read. CoLA has no header: its four columns are the
///          source, the label, a mark and the sentence.
///  .jsonl  one object a line: "text", perhaps "text_pair", and "label" (or, of a value, "score").
///  .txt    one text a line, without labels.
/// A label is the name of a class (LabelNames) or its number; where both could be meant, in a .tsv,
/// the name is. A number in a .jsonl is an integer, a name a string.
/// Lines end with LF or CR LF; empty ones are skipped, as is a byte order mark.
struct LabelledText {
  std::string text;
  std::optional<std::string> pair;
  Index label = -1;      // the class; -1 where labels are not read
  double value = 0.0;    // where values are read
  std::size_t line = 0;  // in its file, from 1
};

/// At most the first `limit` texts, each with a label of `labels`. Without `labels`, those of the
/// file are not looked at. Lines beyond the limit are checked all the same.
/// Throws: InputError "FILE:LINE: what; what to do": of an unknown kind, without text or column,
/// with a line of other columns than the header's, a label that is absent, unknown or out of
/// range, bytes that are not UTF-8, a line that is too long.
std::vector<LabelledText> read_labelled_texts(const std::filesystem::path& file,
                                              const LabelNames* labels,
                                              std::optional<std::int64_t> limit = std::nullopt);

/// The same with values, finite numbers, for regression.
std::vector<LabelledText> read_valued_texts(const std::filesystem::path& file,
                                            std::optional<std::int64_t> limit = std::nullopt);

/// Whether a file is of a kind that can hold labels.
bool can_hold_labels(const std::filesystem::path& file);

}  // namespace evenkeel
