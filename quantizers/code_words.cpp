#include "quantizers/code_words.h"

#include <cassert>

namespace evenkeel {
namespace {

constexpr Index word_bytes = 4;

// Where the numbers of a layout lie in its bytes.
class Places {
 public:
  explicit Places(const CodeWords& layout)
      : bits_(layout.bits),
        by_row_(layout.lanes == Lanes::rows),
        lanes_(by_row_ ? layout.rows : layout.columns),
        length_(by_row_ ? layout.columns : layout.rows) {
    assert(bits_ == 4 || bits_ == 8);
    const Index in_a_word = 8 * word_bytes / bits_;
    words_ = length_ / in_a_word + (length_ % in_a_word == 0 ? 0 : 1);
    slots_ = words_ * in_a_word;
  }

  Index lanes() const { return lanes_; }
  Index length() const { return length_; }
  Index words() const { return words_; }
  // Numbers that the words of a lane have room for.
  Index slots() const { return slots_; }
  std::size_t bytes() const { return static_cast<std::size_t>(lanes_ * words_ * word_bytes); }

  std::size_t number(Index lane, Index i) const { return at(lane, i, length_); }
  std::size_t byte(Index lane, Index i) const {
    const Index byte = i * bits_ / 8;
    return at(lane, byte / word_bytes, words_) * word_bytes +
           static_cast<std::size_t>(byte % word_bytes);
  }
  int shift(Index i) const { return static_cast<int>(i * bits_ % 8); }
  unsigned mask() const { return (1U << static_cast<unsigned>(bits_)) - 1U; }

 private:
  std::size_t at(Index lane, Index i, Index length) const {
    return static_cast<std::size_t>(by_row_ ? lane * length + i : i * lanes_ + lane);
  }

  int bits_;
  bool by_row_;
  Index lanes_, length_;
  Index words_ = 0;
  Index slots_ = 0;
};

}  // namespace

std::vector<std::int64_t> CodeWords::shape() const {
  const Index words = Places(*this).words();
  return lanes == Lanes::rows ? std::vector<std::int64_t>{rows, words}
                              : std::vector<std::int64_t>{words, columns};
}

std::vector<std::byte> pack_words(std::span<const std::uint8_t> numbers, const CodeWords& layout) {
  const Places places(layout);
  assert(numbers.size() == static_cast<std::size_t>(layout.rows * layout.columns));
  std::vector<std::byte> bytes(places.bytes());
  for (Index lane = 0; lane < places.lanes(); ++lane) {
    for (Index i = 0; i < places.length(); ++i) {
      const unsigned number = numbers[places.number(lane, i)];
      assert(number <= places.mask());
      bytes[places.byte(lane, i)] |= static_cast<std::byte>(number << places.shift(i));
    }
  }
  return bytes;
}

std::optional<std::vector<std::uint8_t>> unpack_words(std::span<const std::byte> bytes,
                                                      const CodeWords& layout) {
  const Places places(layout);
  assert(bytes.size() == places.bytes());
  std::vector<std::uint8_t> numbers(static_cast<std::size_t>(layout.rows * layout.columns));
  for (Index lane = 0; lane < places.lanes(); ++lane) {
    for (Index i = 0; i < places.slots(); ++i) {
      const auto byte = std::to_integer<unsigned>(bytes[places.byte(lane, i)]);
      const unsigned number = (byte >> places.shift(i)) & places.mask();
      if (i < places.length()) {
        numbers[places.number(lane, i)] = static_cast<std::uint8_t>(number);
      } else if (number != 0) {
        return std::nullopt;
      }
    }
  }
  return numbers;
}

}  // namespace evenkeel
