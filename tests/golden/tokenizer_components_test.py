#!/usr/bin/env python3
"""Every supported component of tokenizer.json against PyPI's `tokenizers`, id by id.

Small tokenizers are trained here with that package, one for each component and for each family of
them that is in use. The lines are the first LINES of FLORES-200 dev in each of its 25 languages (all
of them with EVENKEEL_ALL_LINES=1) and hard ones. Training sees other lines, so that some characters
are unknown.
Exit status 77: the package, the command or the shared files are absent.
"""
import json
import os
import sys
import unittest

from tokenizing import FLORES, SKIPPED, check, check_encodings, hard_lines, why_not

LINES = 1000 if os.environ.get("EVENKEEL_ALL_LINES") else 20
GPT2 = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
BYTES = {**GPT2, "use_regex": False}
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")


def of_type(name, **settings):
    return {"type": name, **settings}


def split(pattern, behavior="Isolated", invert=False):
    return of_type("Split", pattern=pattern, behavior=behavior, invert=invert)


def metaspace(scheme="always", splits=True):
    return of_type("Metaspace", replacement="▁", prepend_scheme=scheme, split=splits)


def splitters(*steps):
    return of_type("Sequence", pretokenizers=list(steps))


def normalizers(*steps):
    return of_type("Sequence", normalizers=list(steps))


def bert(clean=True, ideographs=True, accents=None, lowercase=True):
    return of_type("BertNormalizer", clean_text=clean, handle_chinese_chars=ideographs,
                   strip_accents=accents, lowercase=lowercase)


def template(single, pair):
    """TemplateProcessing from "A [SEP] B:1", where 1 is a type."""
    def piece(text):
        name, _, kind = text.partition(":")
        key = "Sequence" if name in "AB" else "SpecialToken"
        return {key: {"id": name, "type_id": int(kind or 0)}}

    tokens = {name: {"id": name, "ids": [number], "tokens": [name]}
              for name, number in (("[CLS]", 2), ("[SEP]", 3))}
    return of_type("TemplateProcessing", single=[piece(text) for text in single.split()],
                   pair=[piece(text) for text in pair.split()], special_tokens=tokens)


REPLACED_SPACES = of_type("Replace", pattern={"String": " "}, content="▁")
SENTENCEPIECE = normalizers(of_type("Prepend", prepend="▁"), REPLACED_SPACES)


def flores(part, first, lines):
    """Lines of each language, those of one after those of another."""
    chosen = []
    for file in sorted(FLORES.glob(f"*.{part}.txt")):
        chosen += [line for line in file.read_text().split("\n") if line][first:first + lines]
    return chosen


def document(model, normalizer=None, splitter=None):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": normalizer, "pre_tokenizer": splitter, "post_processor": None,
            "decoder": None, "model": model}


def empty_model(kind):
    if kind == "BPE":
        return {"type": "BPE", "dropout": None, "unk_token": "<unk>", "fuse_unk": False,
                "continuing_subword_prefix": None, "end_of_word_suffix": None,
                "byte_fallback": False, "ignore_merges": False, "vocab": {}, "merges": []}
    if kind == "WordPiece":
        return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": {}}
    return {"type": "Unigram", "unk_id": None, "vocab": [], "byte_fallback": False}


def trained(kind, normalizer=None, splitter=None, tokens=(), size=1500, alphabet=()):
    """A document whose model is trained; `tokens` are special ones, first in the vocabulary."""
    from tokenizers import Tokenizer, trainers

    settings = {"vocab_size": size, "show_progress": False, "special_tokens": list(tokens)}
    if kind == "Unigram":
        trainer = trainers.UnigramTrainer(unk_token="<unk>", **settings)
    else:
        kinds = {"BPE": trainers.BpeTrainer, "WordPiece": trainers.WordPieceTrainer}
        trainer = kinds[kind](limit_alphabet=600, initial_alphabet=list(alphabet), **settings)
    tokenizer = Tokenizer.from_str(json.dumps(document(empty_model(kind), normalizer, splitter)))
    tokenizer.train_from_iterator(flores("devtest", 100, 20), trainer)
    made = json.loads(tokenizer.to_str())
    if kind == "Unigram":
        # Training differs from run to run, and the library reads decimal fractions a last bit
        # apart, which decides between pieces in another order. Multiples of 2^-12 are read and
        # summed without rounding.
        made["model"]["vocab"] = [[token, round(score * 4096) / 4096]
                                  for token, score in made["model"]["vocab"]]
    return made


class ComponentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines = flores("dev", 0, LINES)
        assert len(cls.lines) == 25 * min(LINES, 997), len(cls.lines)
        cls.hard = hard_lines()[:400]

    def check(self, made, special=False):
        check(self, made, self.lines + self.hard, special)

    def check_each(self, made, key, components):
        """The trained model with each of `components` in its place."""
        for component in components:
            with self.subTest(component=component):
                self.check({**made, key: component})


class Normalizers(ComponentTest):
    def test_each(self):
        made = trained("BPE", tokens=["<unk>"], splitter=of_type("Whitespace"))
        forms = [of_type(name) for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase",
                                            "StripAccents")]
        strips = [of_type("Strip", strip_left=left, strip_right=right)
                  for left in (False, True) for right in (False, True)]
        replaced = [of_type("Replace", pattern=pattern, content=content) for pattern, content in (
            ({"String": "a"}, "bc"), ({"String": "."}, ""), ({"String": ""}, "-"),
            ({"Regex": r"\s+"}, " "), ({"Regex": r"[aeiou]*"}, "x"), ({"Regex": r"(\w)\1"}, "$1"),
            ({"Regex": " {2,}"}, "▁"))]
        berts = [bert(clean, ideographs, accents, lowercase) for clean in (False, True)
                 for ideographs in (False, True) for accents in (None, False, True)
                 for lowercase in (False, True)]
        chains = [normalizers(), SENTENCEPIECE, of_type("Prepend", prepend="ab "),
                  normalizers(of_type("NFD"), of_type("Lowercase"), of_type("StripAccents")),
                  normalizers(of_type("NFKC"), normalizers(strips[3], replaced[3]))]
        self.check_each(made, "normalizer", forms + strips + replaced + berts + chains)


class PreTokenizers(ComponentTest):
    def test_splitters(self):
        made = trained("BPE", tokens=["<unk>"])
        simple = [of_type(name) for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer")]
        digits = [of_type("Digits", individual_digits=each) for each in (False, True)]
        marks = [of_type("Punctuation", behavior=behavior) for behavior in BEHAVIORS]
        patterns = ({"String": " "}, {"String": "e."}, {"Regex": r"\w+|[^\w\s]+"},
                    {"Regex": r"\d{1,3}(?=(?:\d{3})*\b)"}, {"Regex": "[aeiou]*"},
                    {"Regex": r"\p{Han}|[[:upper:]]\h?"}, {"Regex": "(?i:THE|ſ)"})
        splits = [split(pattern, behavior, invert) for pattern in patterns
                  for behavior in BEHAVIORS for invert in (False, True)]
        self.check_each(made, "pre_tokenizer", simple + digits + marks + splits)

    def test_metaspace(self):
        made = trained("BPE", splitter=metaspace(), tokens=["<unk>", "<s>"])
        made["added_tokens"][1]["rstrip"] = True
        schemes = [metaspace(scheme, splits) for scheme in ("always", "first", "never")
                   for splits in (False, True)]
        chains = [splitters(of_type("WhitespaceSplit"), scheme) for scheme in schemes]
        self.check_each(made, "pre_tokenizer", schemes + chains)

    def test_byte_level(self):
        from tokenizers import pre_tokenizers

        made = trained("BPE", splitter=GPT2, size=2000,
                       alphabet=pre_tokenizers.ByteLevel.alphabet())
        digits = of_type("Digits", individual_digits=True)
        marks = of_type("Punctuation", behavior="Contiguous")
        three = split({"Regex": "[0-9][0-9][0-9]"})
        chains = [splitters(*steps) for steps in (
            (split({"Regex": LLAMA3}), BYTES),
            (split({"Regex": QWEN2}), BYTES),
            (split({"Regex": O200K}), BYTES),
            (digits, GPT2),
            (marks, GPT2, of_type("Digits", individual_digits=False), three),
            (split({"Regex": r"\p{N}{1,3}"}), split({"Regex": "[一-龥぀-ゟ゠-ヿ]+"}), BYTES),
            (split({"Regex": LLAMA3}, "Removed", True), BYTES),
            (BYTES, GPT2))]
        flags = [{**GPT2, "add_prefix_space": prefix, "use_regex": regex}
                 for prefix in (False, True) for regex in (False, True)]
        self.check_each(made, "pre_tokenizer", chains + flags)


class Models(ComponentTest):
    BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]

    def test_sentencepiece_bpe(self):
        made = trained("BPE", SENTENCEPIECE, tokens=["<unk>", "<s>", *self.BYTE_TOKENS])
        made["added_tokens"] = made["added_tokens"][:2]
        for fallback in (False, True):
            for fused in (False, True):
                with self.subTest(fallback=fallback, fused=fused):
                    made["model"].update(byte_fallback=fallback, fuse_unk=fused)
                    self.check(made)
        del made["model"]["vocab"]["<0xE0>"]
        with self.subTest("a byte without a token"):
            self.check(made)

    def test_word_piece(self):
        made = trained("WordPiece", bert(), of_type("BertPreTokenizer"),
                       ["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
        made["post_processor"] = of_type("BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2])
        self.check(made, special=True)
        made["model"]["max_input_chars_per_word"] = 5
        self.check(made)

    def test_unigram(self):
        made = trained("Unigram", of_type("NFKC"), metaspace(), ["<unk>", "<s>", "</s>"],
                       size=4000)
        self.check(made)
        made["model"]["vocab"] += [[token, -20.0] for token in self.BYTE_TOKENS]
        made["model"]["byte_fallback"] = True
        self.check(made)
        made["pre_tokenizer"] = None
        self.check(made)

    def test_models_of_bytes(self):
        for kind in ("WordPiece", "Unigram"):
            with self.subTest(kind):
                unknown = "[UNK]" if kind == "WordPiece" else "<unk>"
                self.check(trained(kind, None, GPT2, [unknown]))


class PostProcessors(ComponentTest):
    PROCESSORS = {
        "none": None,
        "byte level": GPT2,
        "bert": of_type("BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2]),
        "roberta": of_type("RobertaProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2],
                           trim_offsets=True, add_prefix_space=False),
        "bert template": template("[CLS] A [SEP]", "[CLS] A [SEP] B:1 [SEP]:1"),
        "llama template": template("[CLS] A", "[CLS] A [CLS]:1 B:1"),
        "xlnet template": template("A [SEP] [CLS]:2", "A [SEP] B:1 [SEP]:1 [CLS]:2"),
        "the second text first": template("A:1", "[SEP]:3 B A:1"),
        "a sequence": of_type("Sequence", processors=[
            GPT2, template("[CLS] A [SEP]", "[CLS] A B:1 [SEP]:1")]),
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = trained("WordPiece", bert(), of_type("BertPreTokenizer"),
                           ["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
        texts = [line.replace("\t", " ") for line in cls.lines[::9] + cls.hard[:60]]
        cls.texts = texts
        # Texts of like and of unlike lengths, and empty ones.
        cls.pairs = [("", ""), ("", texts[0]), (texts[0], "")]
        cls.pairs += list(zip(texts, texts[7:])) + [(text[:20], text) for text in texts[::5]]
        cls.pairs += [(text, text[:20]) for text in texts[::5]] + [(t, t) for t in texts[::5]]

    def check_limits(self, texts, special):
        """`special`: tokens of the template; with fewer the library leaves a text as it is."""
        for name, processor in self.PROCESSORS.items():
            with self.subTest(name):
                document = {**self.made, "post_processor": processor}
                few = max(1, special[name])
                # How texts are cut does not depend on what stands around them.
                limits = (few, few + 1, few + 2, few + 5, 40) if name == "bert" else (few + 2,)
                for limit in (None, *limits, 41):
                    check_encodings(self, document, texts, limit)

    def test_single(self):
        special = dict.fromkeys(self.PROCESSORS, 2)
        special.update({"none": 0, "byte level": 0, "llama template": 1,
                        "the second text first": 0})
        self.check_limits(self.texts, special)

    def test_pairs(self):
        special = dict.fromkeys(self.PROCESSORS, 3)
        special.update({"none": 0, "byte level": 0, "roberta": 4, "llama template": 2,
                        "the second text first": 1, "a sequence": 2})
        self.check_limits(self.pairs, special)


class AddedTokens(ComponentTest):
    FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")

    @staticmethod
    def with_tokens(made, contents, **flags):
        """`made` and tokens that its vocabulary lacks."""
        first = len(made["model"]["vocab"])
        tokens = [{"id": first + number, "content": content,
                   **dict.fromkeys(AddedTokens.FLAGS, False), **flags}
                  for number, content in enumerate(contents)]
        return {**made, "added_tokens": made["added_tokens"] + tokens}

    def test_each_flag(self):
        families = {
            "a normalizer": trained("BPE", normalizers(of_type("Lowercase"),
                                                       of_type("StripAccents")),
                                    of_type("Whitespace"), ["<unk>"]),
            "BERT": trained("WordPiece", bert(), of_type("BertPreTokenizer"), ["[UNK]"]),
            "SentencePiece": trained("BPE", SENTENCEPIECE, tokens=["<unk>"]),
            "Metaspace": trained("Unigram", None, metaspace("first"), ["<unk>"],
                                 size=4000)}
        contents = ("<TOK>", "é1", "The ", " ab", "<tok><tok>", "12")
        for name, made in families.items():
            for flag in self.FLAGS:
                with self.subTest(name, flag=flag):
                    self.check(self.with_tokens(made, contents, **{flag: True}))


if __name__ == "__main__":
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
