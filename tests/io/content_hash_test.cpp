#include "io/content_hash.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

// As the package xxhash of PyPI gives them: xxhash.xxh3_64_hexdigest(text).
TEST(ContentHashTest, IsXxh3) {
  EXPECT_EQ(content_hash(""), "2d06800538d394c2");
  EXPECT_EQ(content_hash("a"), "e6c632b61e964e1f");
  EXPECT_EQ(content_hash("abc"), "78af5f94892f3950");
  EXPECT_EQ(content_hash(std::string(1000, 'x')), "c0a4877b962cba82");
}

TEST(ContentHashTest, PiecesDoNotMatter) {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ContentHash hash;
    hash.add(text.substr(0, cut));
    hash.add(text.substr(cut));
    EXPECT_EQ(hash.text(), content_hash(text));
  }
}

TEST(ContentHashTest, FilesAreReadInPieces) {
  const support::ScratchFolder scratch;
  const auto path = scratch / "file";
  for (const std::size_t size : {0U, 1U, (4U << 20U) - 1, 4U << 20U, (4U << 20U) + 1}) {
    const std::string bytes(size, 'x');
    support::write_bytes(path, bytes);
    EXPECT_EQ(file_hash(path), content_hash(bytes));
  }
  support::expect_error<InputError>([&] { file_hash(scratch / "none"); }, scratch / "none", {});
}

TEST(ContentHashTest, CheckedTextIsWholeOrNothing) {
  const support::ScratchFolder scratch;
  const auto path = scratch / "text";
  EXPECT_EQ(read_checked_text(path), std::nullopt);
  for (const std::string text : {"", "one line", "two\nlines\n"}) {
    write_checked_text(path, text);
    EXPECT_EQ(read_checked_text(path), text);
    const std::string bytes = support::read_bytes(path);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      support::write_bytes(path, bytes.substr(0, i));
      EXPECT_EQ(read_checked_text(path), std::nullopt) << i;
      std::string other = bytes;
      other[i] = static_cast<char>(other[i] ^ 1);
      support::write_bytes(path, other);
      EXPECT_EQ(read_checked_text(path), std::nullopt) << i;
    }
  }
}

}  // namespace
}  // namespace evenkeel
