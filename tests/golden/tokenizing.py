"""Token ids by `calibrate tokenize --lines` and by PyPI's `tokenizers`, for the tests here."""
import json
import os
import pathlib
import random
import subprocess
import tempfile

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
MODEL = SHARED / "models" / "opt-3m"
FLORES = SHARED / "data" / "flores200"
COMMAND = os.environ.get("EVENKEEL_CALIBRATE", "")
SKIPPED = 77


def why_not():
    """What is missing for this test, or nothing."""
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        return "needs the PyPI package 'tokenizers'"
    if not os.access(COMMAND, os.X_OK):
        return "needs EVENKEEL_CALIBRATE to name the built command"
    for path in (MODEL / "tokenizer.json", FLORES):
        if not path.exists():
            return f"needs {path}"
    return None


def published_ids(document, lines, special):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(json.dumps(document))
    return [e.ids for e in tokenizer.encode_batch(lines, add_special_tokens=special)]


def tokenized(document, lines, *options):
    """What `calibrate tokenize` with `options` prints for `lines`, a string."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = pathlib.Path(folder)
        (checkpoint / "tokenizer.json").write_text(json.dumps(document))
        text = checkpoint / "text.txt"
        text.write_bytes("".join(line + "\n" for line in lines).encode())
        call = [COMMAND, "tokenize", folder, str(text), *options]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(call)} exits with {done.returncode}: {done.stderr}")
    return done.stdout


def our_ids(document, lines, special):
    options = ["--special"] if special else []
    printed = tokenized(document, lines, "--lines", *options)
    return [[int(word) for word in line.split()] for line in printed.split("\n")[:-1]]


def hard_lines():
    """Random strings of what is apt to go wrong."""
    parts = list("ab cd.'sXY1290\t\r  é中ا\u0301_-#<>\u00a0\u180e\u2028\u200d")
    parts += ["<s>", "</s>", "<tok>", "<tok><tok>", "tok", " ab", "ab ", "the ", "there", "'ll"]
    chosen = random.Random(1)
    return ["".join(chosen.choice(parts) for _ in range(chosen.randint(0, 30)))
            for _ in range(2000)]


def check(case, document, lines, special=False):
    """Fails `case` at the first line whose ids differ."""
    expected = published_ids(document, lines, special)
    actual = our_ids(document, lines, special)
    case.assertEqual(len(actual), len(lines))
    for line, ours, theirs in zip(lines, actual, expected):
        case.assertEqual(ours, theirs, repr(line))


def check_encodings(case, document, texts, limit=None):
    """The same for ids and token types, at most `limit`, of texts or of pairs of them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(json.dumps(document))
    if limit is not None:
        tokenizer.enable_truncation(limit)
    expected = tokenizer.encode_batch(texts)
    pairs = isinstance(texts[0], tuple)
    options = ["--pairs"] if pairs else ["--lines", "--special"]
    if limit is not None:
        options += ["--max-length", str(limit)]
    lines = ["\t".join(pair) for pair in texts] if pairs else texts
    actual = json.loads(tokenized(document, lines, *options, "--json"))
    case.assertEqual(len(actual["ids"]), len(texts))
    for text, ids, types, theirs in zip(texts, actual["ids"], actual["token_types"], expected):
        case.assertEqual((ids, types), (theirs.ids, theirs.type_ids), (limit, text))
