#include "calib/yaml_tree.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

YamlValue parse(const std::string& text) { return parse_yaml(text, {.name = "t.yaml"}); }

std::string fault_of(const std::string& text) {
  try {
    parse(text);
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(ParseYaml, keeps_kinds_quotes_order_and_places) {
  const YamlValue tree = parse("b: 1\na:\n  - 'x'\n  - {c: ~}\nd:\ne: |\n  two\n  lines\n");
  ASSERT_EQ(tree.kind, YamlValue::Kind::map);
  ASSERT_EQ(tree.entries.size(), 4U);
  EXPECT_EQ(tree.entries[0].key, "b");
  EXPECT_EQ(tree.entries[0].value.text, "1");
  EXPECT_FALSE(tree.entries[0].value.quoted);
  EXPECT_EQ(tree.entries[1].place.where, "t.yaml:2");
  const YamlValue& list = tree.entries[1].value;
  ASSERT_EQ(list.kind, YamlValue::Kind::list);
  EXPECT_EQ(list.place.where, "t.yaml:2");  // of its key
  EXPECT_TRUE(list.items.at(0).quoted);
  EXPECT_EQ(list.items.at(0).place.where, "t.yaml:3");
  EXPECT_EQ(list.items.at(1).find("c")->value.kind, YamlValue::Kind::null);
  EXPECT_EQ(list.items.at(1).find("d"), nullptr);
  EXPECT_EQ(tree.find("d")->value.kind, YamlValue::Kind::null);
  EXPECT_EQ(tree.find("d")->value.place.where, "t.yaml:5");
  EXPECT_EQ(tree.find("e")->value.text, "two\nlines\n");
}

TEST(ParseYaml, copies_what_an_alias_names) {
  YamlValue tree = parse("a: &x {k: 1}\nb: *x\n");
  tree.find("b")->value.find("k")->value.text = "2";
  EXPECT_EQ(tree.find("a")->value.find("k")->value.text, "1");
}

TEST(ParseYaml, gives_nothing_for_a_text_without_a_value) {
  for (const char* text : {"", "\n", "# only a comment\n", "~"}) {
    EXPECT_EQ(parse(text).kind, YamlValue::Kind::null) << text;
  }
}

TEST(ParseYaml, takes_both_line_ends_and_a_byte_order_mark) {
  const YamlValue tree = parse("\xEF\xBB\xBFmodel: m\r\noutput: o\r\n");
  EXPECT_EQ(tree.find("model")->value.text, "m");
  EXPECT_EQ(tree.find("output")->value.text, "o");
}

TEST(EmitYaml, writes_what_reads_back_as_the_same_tree) {
  for (const char* text :
       {"a: 1\n", "a: [x, 'y, z', \"~\", ~, '', \"8\"]\n", "a: {b: {c: [[1, 2], {d: e}]}}\n",
        "a: \"tab\\t, line\\n, quote \\\", \\u00e9\"\n", "a: 'yes'\nb: yes\nc: '# x'\nd: \": \"\n",
        "a: - x\n", "a: {}\nb: []\n", "'a: b': 1\n", "a: &q [1]\nb: *q\n"}) {
    if (!fault_of(text).empty()) continue;
    const std::string once = emit_yaml(parse(text));
    EXPECT_EQ(emit_yaml(parse(once)), once) << text;
  }
  const YamlValue tree = parse(emit_yaml(parse("a: [\"8\", 8, '~', ~, 'x\ty']\n")));
  const auto& items = tree.find("a")->value.items;
  ASSERT_EQ(items.size(), 5U);
  EXPECT_TRUE(items[0].quoted);
  EXPECT_FALSE(items[1].quoted);
  EXPECT_EQ(items[2].text, "~");
  EXPECT_EQ(items[3].kind, YamlValue::Kind::null);
  EXPECT_EQ(items[4].text, "x\ty");
}

// ---------------------------------------------------------------- faults

TEST(ParseYaml, refuses_what_would_read_as_another_document) {
  EXPECT_EQ(fault_of("a: 1\nb: 2\na: 3\n"), "t.yaml:3: 'a': given twice (first at t.yaml:1)");
  EXPECT_EQ(fault_of("a:\n  {b: 1, b: 2}\n"), "t.yaml:2: 'b': given twice (first at t.yaml:2)");
  EXPECT_EQ(fault_of("a: 1\n---\nb: 2\n"),
            "t.yaml:2: a second document starts here; a job is one document");
  EXPECT_EQ(fault_of("a: !!str 1\n"),
            "t.yaml:1: a tag ('tag:yaml.org,2002:str'); a job needs none, leave it out");
  EXPECT_EQ(fault_of("a: !x {}\n"), "t.yaml:1: a tag ('!x'); a job needs none, leave it out");
  EXPECT_EQ(fault_of("a: 1\nb: \xff\n"), "t.yaml:2: not UTF-8; save the job as UTF-8");
  EXPECT_EQ(fault_of("a: 1\x04\nb: 2\n"), "t.yaml:1: a control character (0x04); a job is text");
  EXPECT_EQ(fault_of(std::string("a: 1\0", 5)),
            "t.yaml:1: a control character (0x00); a job is text");
}

TEST(ParseYaml, refuses_keys_that_are_not_text) {
  const std::string fault =
      ": a key must be one word of text, such as 'model:' (is a bracket not closed?)";
  for (const char* text : {"? [a]\n: b\n", "? {a: b}\n: c\n", ": b\n", "? ~\n: b\n"}) {
    const std::string actual = fault_of(text);
    ASSERT_GT(actual.size(), fault.size()) << text;
    EXPECT_EQ(actual.substr(actual.size() - fault.size()), fault) << text;
  }
}

TEST(ParseYaml, says_where_a_text_is_not_yaml) {
  EXPECT_EQ(fault_of("a:\n\tb: 1\n"),
            "t.yaml:2: not YAML: illegal map value (the line is indented with a tab; use spaces)");
  EXPECT_EQ(fault_of("a: *x\n"), "t.yaml:1: not YAML: the referenced anchor is not defined");
  EXPECT_EQ(fault_of("a: 'x"), "t.yaml:1: not YAML: illegal EOF in scalar");
  EXPECT_EQ(fault_of("a: 1\nb: c: d\n"), "t.yaml:2: not YAML: illegal map value");
  EXPECT_EQ(fault_of("a: @x\n"), "t.yaml:1: not YAML: unknown token");
}

TEST(ParseYaml, bounds_nesting_and_what_aliases_multiply) {
  EXPECT_EQ(fault_of(std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_EQ(fault_of(std::string(33, '[') + std::string(33, ']')),
            "t.yaml:1: nested deeper than 32");
  EXPECT_EQ(fault_of("a: &x [*x]\n"), "t.yaml:1: an alias inside the value that it names");

  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name <= 'i'; ++name) {
    const std::string last(1, static_cast<char>(name - 1));
    text += std::string(1, name) + ": &" + name + " [*" + last;
    for (int i = 0; i < 9; ++i) text += ", *" + last;
    text += "]\n";
  }
  EXPECT_EQ(fault_of(text), "t.yaml:4: more than 10000 values");

  text = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = "a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[*" + last + "]]]]\n";
  }
  EXPECT_EQ(fault_of(text), "t.yaml:7: nested deeper than 32");
}

TEST(ParseYaml, survives_endless_repetition_with_one_line) {
  for (const char* piece : {"[", "{",  "- ", "? ", "a: {", "[a: ", "&a [",  "- - a: ", "!", "\"",
                            "'", ": ", "*",  "%",  "&a",   "|\n",  "---\n", "k\n",     " ", "\n"}) {
    std::string text;
    while (text.size() < 100'000) text += piece;
    const std::string fault = fault_of(text);
    EXPECT_LT(fault.size(), 300U) << piece;
    EXPECT_EQ(fault.find('\n'), std::string::npos) << piece;
  }
}

}  // namespace
}  // namespace evenkeel
