// What Unicode says about characters, from ICU, as of the version that a component was made with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

/// General category P (punctuation), or an ASCII symbol, which BERT counts as punctuation.
/// The `tokenizers` library takes the category from Unicode 8, and so does this.
bool is_punctuation(char32_t character);
/// Category Cc, Cf or Co of Unicode 8.
bool is_control(char32_t character);
/// Category Mn of Unicode 8.
bool is_nonspacing_mark(char32_t character);
/// Category M of Unicode 9, which the library's normalization is of.
bool is_mark(char32_t character);
/// Category N, of ICU's version.
bool is_number(char32_t character);

/// `text` less the characters for which `matches` is true. REQUIRES: valid UTF-8.
std::string without(bool (*matches)(char32_t character), std::string_view text);

/// Lower case character by character, so that a final sigma is as any other.
/// REQUIRES: valid UTF-8.
std::string lower_case(std::string_view text);

enum class NormalizationForm { nfc, nfd, nfkc, nfkd };

/// The normalization form of Unicode 9, that of the `tokenizers` library: characters assigned since
/// stay as they are. REQUIRES: valid UTF-8.
/// Throws: InputError when the text is larger than 1 GiB, as ICU counts in 31 bits.
std::string normalization_form(std::string_view text, NormalizationForm form);

/// The PCRE2 spelling of a property's name as Oniguruma takes it (\p{Letter}, \p{han}, \p{Alpha}).
/// PCRE2 reads a bare script as its extensions, so a script is "sc:Han". Nothing when the name is
/// not known.
std::optional<std::string> regex_property(std::string_view name);

}  // namespace evenkeel
