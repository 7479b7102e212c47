#!/usr/bin/env python3
"""`calibrate tokenize --lines` against PyPI's `tokenizers`, id by id.

The lines are FLORES-200 in all languages that are there and a few hard ones; the tokenizers are
that of ../shared/models/opt-3m as it is, and variants of it that use what the file format allows.
Exit status 77: the package, the command or the shared files are absent.
"""
import copy
import json
import sys
import unittest

from tokenizing import FLORES, MODEL, SKIPPED, check, hard_lines, why_not


def added(document, content, **flags):
    """Adds a token that the vocabulary lacks."""
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    last = max(token["id"] for token in document["added_tokens"])
    number = max(last + 1, len(document["model"]["vocab"]))
    token = {"id": number, "content": content}
    token.update({name: flags.get(name, False) for name in names})
    document["added_tokens"].append(token)


def byte_level(prefix, regex):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True,
            "use_regex": regex}


def template():
    def special(name):
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def text(name):
        return {"Sequence": {"id": name, "type_id": 0}}

    tokens = {name: {"id": name, "ids": [number], "tokens": [name]}
              for name, number in (("<s>", 0), ("</s>", 2))}
    return {"type": "TemplateProcessing", "single": [special("<s>"), text("A"), special("</s>")],
            "pair": [text("A"), text("B")], "special_tokens": tokens}


class TokenizerTest(unittest.TestCase):
    def setUp(self):
        self.document = json.loads((MODEL / "tokenizer.json").read_text())

    def check(self, lines, document=None, special=False):
        check(self, document or self.document, lines, special)

    def test_flores_in_all_languages(self):
        files = sorted(FLORES.glob("*.txt"))
        self.assertTrue(files)
        for file in files:
            with self.subTest(file.name):
                self.check(file.read_text().split("\n"))

    def test_hard_lines(self):
        self.check(hard_lines())

    def test_characters_of_every_block(self):
        # Every eleventh character that Unicode 14 and later agree on: those of the BMP up to the
        # Hangul syllables, less the blocks that were still being filled.
        characters = [chr(c) for c in range(0x20, 0xD7A4, 11)
                      if not (0x1C80 <= c < 0x1CC0 or 0xA7C0 <= c < 0xA800 or 0x870 <= c < 0x8A0
                              or 0xC00 <= c < 0xD00 or 0x85 == c or c in (0x2028, 0x2029))]
        self.check([f"a{c}b {c}{c} 1{c}1 .{c}.{c}  {c}\t{c}'s" for c in characters])

    def test_splitting(self):
        for prefix in (False, True):
            for regex in (False, True):
                with self.subTest(prefix=prefix, regex=regex):
                    document = copy.deepcopy(self.document)
                    step = byte_level(prefix, regex)
                    document["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [step]}
                    self.check(hard_lines(), document)

    def test_added_tokens(self):
        for flag in ("single_word", "lstrip", "rstrip", "normalized", "special"):
            with self.subTest(flag):
                document = copy.deepcopy(self.document)
                for content in ("<tok>", " ab", "tok", "<tok><tok>", "é1"):
                    added(document, content, **{flag: True})
                document["added_tokens"][0][flag] = True
                self.check(hard_lines(), document)

    def test_without_pre_tokenizer(self):
        for unknown, fused in ((None, False), ("<unk>", False), ("<unk>", True)):
            with self.subTest(unknown=unknown, fused=fused):
                document = copy.deepcopy(self.document)
                document["pre_tokenizer"] = None
                document["model"].update(unk_token=unknown, fuse_unk=fused)
                self.check(hard_lines(), document)

    def test_ignored_merges(self):
        self.document["model"]["ignore_merges"] = True
        self.check(hard_lines())

    def test_special_tokens(self):
        roberta = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
                   "trim_offsets": True, "add_prefix_space": False}
        chain = {"type": "Sequence", "processors": [byte_level(True, True), roberta]}
        for processor in (None, template(), roberta, chain):
            with self.subTest(processor=processor):
                self.document["post_processor"] = processor
                self.check(hard_lines(), special=True)


if __name__ == "__main__":
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
