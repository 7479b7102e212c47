#include "io/normalizer.h"

#include <array>
#include <utility>
#include <vector>

#include "io/bert_normalizer.h"
#include "io/errors.h"
#include "io/text_pattern.h"
#include "io/unicode.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

using Made = std::unique_ptr<const Normalizer>;

// A normalizer without settings.
template <std::string (*Function)(std::string_view text)>
class Plain : public Normalizer {
 public:
  explicit Plain(const ComponentSettings& /*settings*/) {}
  std::string normalized(std::string_view text) const override { return Function(text); }
};

template <NormalizationForm Form>
std::string in_form(std::string_view text) {
  return normalization_form(text, Form);
}

std::string without_marks(std::string_view text) { return without(is_mark, text); }

class Prepend : public Normalizer {
 public:
  explicit Prepend(const ComponentSettings& settings) : prefix_(settings.text("prepend")) {}
  std::string normalized(std::string_view text) const override {
    return text.empty() ? std::string() : fmt::format("{}{}", prefix_, text);
  }

 private:
  std::string prefix_;
};

class Strip : public Normalizer {
 public:
  explicit Strip(const ComponentSettings& settings)
      : left_(settings.boolean("strip_left")), right_(settings.boolean("strip_right")) {}
  std::string normalized(std::string_view text) const override {
    std::size_t begin = 0;
    std::size_t end = text.size();
    while (left_ && begin < end && is_white_space(utf8_at(text, begin))) {
      begin += utf8_size(text[begin]);
    }
    while (right_ && end > begin) {
      const std::size_t last = utf8_before(text, end);
      if (!is_white_space(utf8_at(text, last))) break;
      end = last;
    }
    return std::string(text.substr(begin, end - begin));
  }

 private:
  bool left_;
  bool right_;
};

class Replace : public Normalizer {
 public:
  explicit Replace(const ComponentSettings& settings)
      : pattern_(pattern_of(settings)), content_(settings.text("content")) {}
  std::string normalized(std::string_view text) const override {
    std::string result;
    result.reserve(text.size());
    segments_by(pattern_, text, [&](const Segment& segment) {
      result += segment.matches ? std::string_view(content_)
                                : text.substr(segment.begin, segment.end - segment.begin);
      return true;
    });
    return result;
  }

 private:
  Regex pattern_;
  std::string content_;
};

class Sequence : public Normalizer {
 public:
  explicit Sequence(const ComponentSettings& settings) : where_(settings.path().string()) {
    for (const ComponentSettings& step : component_list(settings, "normalizers")) {
      steps_.push_back(make_normalizer(step));
    }
  }
  std::string normalized(std::string_view text) const override {
    // Steps that each double the text would fill any memory.
    constexpr std::size_t most_growth = 4096;
    std::string result(text);
    for (const auto& step : steps_) {
      result = step->normalized(result);
      if (result.size() / most_growth > text.size()) {
        throw InputError(fmt::format("{}: it makes more than {} bytes of each byte of the text",
                                     where_, most_growth));
      }
    }
    return result;
  }

 private:
  std::string where_;
  std::vector<Made> steps_;
};

template <class Type>
Made make(const ComponentSettings& settings) {
  return std::make_unique<const Type>(settings);
}

using Type = ComponentType<Normalizer>;
constexpr std::array types = {
    Type{"BertNormalizer", make_bert_normalizer},
    Type{"Lowercase", make<Plain<lower_case>>},
    Type{"NFC", make<Plain<in_form<NormalizationForm::nfc>>>},
    Type{"NFD", make<Plain<in_form<NormalizationForm::nfd>>>},
    Type{"NFKC", make<Plain<in_form<NormalizationForm::nfkc>>>},
    Type{"NFKD", make<Plain<in_form<NormalizationForm::nfkd>>>},
    Type{"Prepend", make<Prepend>},
    Type{"Replace", make<Replace>},
    Type{"Sequence", make<Sequence>},
    Type{"Strip", make<Strip>},
    Type{"StripAccents", make<Plain<without_marks>>},
};

}  // namespace

Made make_normalizer(const ComponentSettings& settings) {
  return make_component(settings, settings.text("type"), std::span<const Type>(types));
}

}  // namespace evenkeel
