"""Writes tests/fixtures/tokenizers: small tokenizers of every kind, learnt by the `tokenizers` package, and what it makes of odd texts.

Run with Python 3, tokenizers 0.23 and sentencepiece: python scripts/make-tokenizer-fixtures.py
With a folder and a number as arguments it writes that many random texts and their tokens there instead, to compare at length.
"""

import json
import pathlib
import random
import re
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).parent.parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "fixtures" / "tokenizers"
OUT.mkdir(parents=True, exist_ok=True)

SONNETS = re.findall(r"`([^`]+)`", (ROOT / "src/data/formats/text/sonnets.ts").read_text(encoding="utf-8"))[-6:]
OTHERS = [
    "L'été, à l'œuvre, où naïfs et garçons mangent des crêpes. Über Straßen fährt Jürgen; ÇA VA?",
    "Быть или не быть, вот в чём вопрос. Ἐν ἀρχῇ ἦν ὁ λόγος. ΟΔΥΣΣΕΥΣ",
    "你好，世界。日本語のテキストです。カタカナ 한국어 문장",
    "في البدء كان الكلمة، ١٢٣٤ و٥٦",
    "👩‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ emoji; 12345 67.89 x=1_000; $5 ½ Ⅷ ²",
    "def f(x):\n\treturn x ** 2  # code\r\n    if x:\n\n\n        pass",
]
CORPUS = SONNETS + OTHERS * 3
CLASSIC = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|" + CLASSIC


def trained(model, trainer, normalizer=None, pre=None, post=None, decoder=None):
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    if decoder is not None:
        tokenizer.decoder = decoder
    tokenizer.train_from_iterator(CORPUS, trainer)
    if post is not None:
        tokenizer.post_processor = post(tokenizer)
    return tokenizer


def bpe(size=400, **more):
    return trainers.BpeTrainer(vocab_size=size, show_progress=False, **more)


ALPHABET = pre_tokenizers.ByteLevel.alphabet()
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level(add_prefix_space, special=("<|endoftext|>",)):
    return trained(
        models.BPE(),
        bpe(420, initial_alphabet=ALPHABET, special_tokens=list(special)),
        pre=pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space),
        post=lambda _: processors.ByteLevel(trim_offsets=True),
        decoder=decoders.ByteLevel(),
    )


def without_added_bytes(tokenizer, **model):
    """The tokens of bytes belong to the model alone, as in real files."""
    whole = json.loads(tokenizer.to_str())
    whole["model"] |= model
    whole["added_tokens"] = [one for one in whole["added_tokens"] if not one["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(whole))


def llama(normalized, first=False):
    """Byte fallback, as Llama 2 has it: by normalizers, or by Metaspace."""
    tokenizer = trained(
        models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        bpe(520, special_tokens=["<unk>", "<s>", "</s>", *BYTES]),
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]) if normalized else None,
        pre=None if normalized else pre_tokenizers.Metaspace(prepend_scheme="first" if first else "always", split=not first),
        post=lambda t: processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", t.token_to_id("<s>"))]),
        decoder=decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
    )
    return without_added_bytes(tokenizer)


def word_piece(normalizer, pre, **more):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return trained(
        models.WordPiece(unk_token="[UNK]", **more),
        trainers.WordPieceTrainer(vocab_size=350, special_tokens=special, show_progress=False),
        normalizer,
        pre,
        lambda t: processors.BertProcessing(("[SEP]", t.token_to_id("[SEP]")), ("[CLS]", t.token_to_id("[CLS]"))),
        decoders.WordPiece(cleanup=True),
    )


def charsmap():
    """A small map as SentencePiece compiles it: full width, ligatures, control characters that go, composed accents."""
    rules = {0xFF21 + i: [0x41 + i] for i in range(26)}
    rules |= {0xFB01: [0x66, 0x69], 0x3000: [0x20], 0xA0: [0x20], 0x0A: [0x20], 0x0D: [0x20], 0x09: [0x20], 0x200B: [0x20], 0x07: [], 0xBD: [0x31, 0x2F, 0x32]}
    lines = [f"{source:X}\t{' '.join(f'{c:X}' for c in target)}" for source, target in rules.items()]
    lines += ["65 301\tE9", "41 30A\tC5", "1F44D 1F3FD\t1F44D"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "rules.tsv").write_text("\n".join(lines) + "\n")
        (folder / "corpus.txt").write_text("\n".join(CORPUS), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.Train(
            input=str(folder / "corpus.txt"), model_prefix=str(folder / "m"), vocab_size=300, hard_vocab_limit=False, minloglevel=9,
            normalization_rule_tsv=str(folder / "rules.tsv"),
        )  # fmt: skip
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString((folder / "m.model").read_bytes())
    return proto.normalizer_spec.precompiled_charsmap


def unigram(normalizer, pre, decoder, byte_fallback=False):
    special = ["<pad>", "</s>", "<unk>"] + (BYTES if byte_fallback else [])
    tokenizer = trained(
        models.Unigram(),
        trainers.UnigramTrainer(vocab_size=330 + len(special), special_tokens=special, unk_token="<unk>", show_progress=False),
        normalizer,
        pre,
        lambda t: processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", t.token_to_id("</s>"))]),
        decoder,
    )
    return without_added_bytes(tokenizer, byte_fallback=True) if byte_fallback else tokenizer


def added_flags():
    tokenizer = byte_level(True)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.add_tokens([
        AddedToken("Word", single_word=True, normalized=True), AddedToken("[left]", lstrip=True, normalized=False),
        AddedToken("[right]", rstrip=True, normalized=False), AddedToken("[BOTH]", lstrip=True, rstrip=True, normalized=True),
        AddedToken("[le", normalized=False), AddedToken("über", single_word=True, normalized=False), AddedToken("love", normalized=False), AddedToken("ab", normalized=False), AddedToken("abcd", normalized=False), AddedToken("bc", normalized=False),
    ])  # fmt: skip
    tokenizer.add_special_tokens([AddedToken("<MASK>", lstrip=True, normalized=False, special=True), AddedToken("<S P>", special=True)])
    return tokenizer


def cut_and_filled():
    tokenizer = byte_level(False)
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=12, pad_token="<|endoftext|>")
    return tokenizer


def sequence(*pre, normalizer=None, decoder=None, byte=True, unk=None):
    return trained(
        models.BPE(unk_token=unk),
        bpe(initial_alphabet=ALPHABET if byte else [], special_tokens=[unk] if unk else []),
        normalizer=normalizer,
        pre=pre_tokenizers.Sequence(list(pre)),
        decoder=decoder or (decoders.ByteLevel() if byte else decoders.Fuse()),
    )


P, N = pre_tokenizers, normalizers
last_bytes = P.ByteLevel(add_prefix_space=False, use_regex=False)
bert = N.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
precompiled = N.Precompiled(charsmap())
tokenizers = {
    "gpt2": byte_level(False),
    "gpt2-prefix": byte_level(True),
    "gpt4-split": sequence(P.Split(Regex(GPT4), "isolated"), last_bytes),
    "llama-normalizers": llama(True),
    "llama-metaspace": llama(False),
    "llama-first": llama(False, True),
    "bert-uncased": word_piece(bert, P.BertPreTokenizer()),
    "bert-cased": word_piece(N.BertNormalizer(strip_accents=False, lowercase=False), P.BertPreTokenizer(), max_input_chars_per_word=12),
    "albert": unigram(
        N.Sequence([N.Replace("``", '"'), N.Replace("''", '"'), N.NFKD(), N.StripAccents(), N.Lowercase(), precompiled, N.Replace(Regex(" {2,}"), " ")]),
        P.Metaspace(), decoders.Metaspace(),
    ),
    "t5": unigram(precompiled, P.Sequence([P.WhitespaceSplit(), P.Metaspace()]), decoders.Metaspace()),
    "unigram-bytes": unigram(N.Strip(), P.Metaspace(prepend_scheme="first", split=False), decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")]), True),
    "words": trained(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=200, special_tokens=["[UNK]"], show_progress=False), N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]), P.Whitespace(),
                     lambda t: processors.RobertaProcessing(("[UNK]", 0), ("[UNK]", 0))),
    "added": added_flags(),
    "cut-and-filled": cut_and_filled(),
    "digits-punctuation": sequence(P.Digits(individual_digits=True), P.Punctuation("isolated"), last_bytes),
    "contiguous": sequence(P.Digits(individual_digits=False), P.Punctuation("contiguous"), P.Split(" ", "merged_with_next"), last_bytes),
    "merged": sequence(P.Punctuation("merged_with_previous"), P.Split(Regex(r"\s+"), "merged_with_previous"), P.Split(Regex(r"\w+"), "removed", invert=True), last_bytes, normalizer=N.NFKC()),
    "removed": sequence(P.Punctuation("removed"), P.CharDelimiterSplit("o"), P.Split("th", "contiguous"), byte=False, unk="<unk>", normalizer=N.Nmt()),
    "suffix": trained(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False), bpe(special_tokens=["<unk>"], end_of_word_suffix="</w>"), N.Lowercase(), P.BertPreTokenizer(), None, decoders.BPEDecoder(suffix="</w>")),
    "prefix": trained(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True), bpe(special_tokens=["<unk>"], continuing_subword_prefix="##"), N.Strip(left=True, right=False), P.WhitespaceSplit(), None, decoders.WordPiece("##", False)),
    "byte-normalizer": trained(models.BPE(), bpe(initial_alphabet=ALPHABET), N.Sequence([N.NFKD(), N.ByteLevel()]), P.FixedLength(5), None, decoders.ByteLevel()),
}  # fmt: skip
whole = json.loads(tokenizers["gpt2"].to_str())
whole["model"]["ignore_merges"] = True
whole["model"]["merges"] = whole["model"]["merges"][:60]
tokenizers["ignore-merges"] = Tokenizer.from_str(json.dumps(whole))
whole = json.loads(tokenizers["llama-first"].to_str())
whole["normalizer"] = json.loads(Tokenizer.from_str(tokenizers["albert"].to_str()).to_str())["normalizer"]
whole["normalizer"]["normalizers"] += [{"type": "Replace", "pattern": {"String": "th"}, "content": "T"}, {"type": "Strip", "strip_left": True, "strip_right": False}]
tokenizers["first-cut"] = Tokenizer.from_str(json.dumps(whole))
tokenizers["spaces"] = byte_level(False)
tokenizers["spaces"].add_tokens([AddedToken(" " * count, normalized=True) for count in range(8, 1, -1)] + ["\n\n", "\t"])

TEXTS = [
    "Shall I compare thee to a summer's day?", " leading and trailing ", "", " ", "  \n\t ", "a\r\nb\rc\n\n\nd", "naïve café e\u0301te\u0301 A\u030A\u0301 Å Ω Å", "ΟΔΥΣΣΕΥΣ İstanbul ẞ ǅ",
    "👩‍👩‍👧‍👦🇩🇪👍🏽❤️ 👍🏽", "你好世界𠀀𫝀𫢸, 日本語カタカナ 한국어", "في البدء ١٢٣ ؟", "x\u00a0y\u2003z\u3000w\u0085v\ufeffu\u200bt\u2028s", "\x00\x07a\x1b\x7f\x9f\ufffd\ue000b\u00adc", "I'm you're we'll they'd 'S 'LL can't",
    "12345 1,234.56 ½ Ⅷ ² ٣ 一", "Word wordy Word, a Word", "a [left] b [right]  c [BOTH]  d", " <MASK> x <S P><s p><|endoftext|> y</s><unk> [MASK] [UNK]", "xüber über überx", "``quoted'' ﬁne ＡＢＣ\u3000½", "abcde abcbcd lovelove",
    "▁▁a ▁b", "<0x41><0xFF>", "the thin then other oath   mother", "_under_score-dash…“quotes”—em¡¿$+<=>^`|~", "a" * 150, "\u0301abc \u0301", "! . , ? n't 's do not", "\u200d\ufe0f\u0300\u0301\u0302", "\U0010ffff\u0378\u2065", "constructor __proto__ toString",
    "a\u061db\u2e57c a\u0898b\u1ac5c \U00010d69d a\u08e2b \U00010781e\U0001171ef\u166dg\u1cf2h \u0301\u0898\u0316",
]  # fmt: skip


def hostile(generator):
    words = [word for text in CORPUS + TEXTS for word in text.split()]
    pieces = []
    ranges = [(0, 0x250), (0x250, 0x600), (0x600, 0x900), (0x900, 0x2000), (0x2000, 0x3100), (0x3100, 0xD800), (0xE000, 0x10000), (0x1F000, 0x1FB00), (0x1D400, 0x1D800), (0x20000, 0x2FA20)]
    for _ in range(generator.randrange(1, 14)):
        kind = generator.random()
        if kind < 0.4:
            pieces.append(generator.choice(words))
        elif kind < 0.6:
            pieces.append("".join(chr(generator.randrange(*generator.choice(ranges))) for _ in range(generator.randrange(1, 6))))
        elif kind < 0.7:
            pieces.append(generator.choice(words) + "".join(chr(generator.randrange(0x300, 0x370)) for _ in range(generator.randrange(3))))
        elif kind < 0.8:
            pieces.append(generator.choice(["Word", "[left]", "[right]", "[BOTH]", "<MASK>", "<S P>", "<s>", "<unk>", "</s>", "[CLS]", "<|endoftext|>", "▁", "<0x0A>", "``", "über", "abc"]))
        elif kind < 0.9:
            pieces.append(str(generator.randrange(10 ** generator.randrange(1, 9))))
        else:
            pieces.append(generator.choice("aé中👍\n\t,.!'\"") * generator.randrange(1, 30))
        pieces.append(generator.choice([" ", " ", " ", "", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200b", "\u0085"]))
    text = "".join(pieces)
    return text.strip() if generator.random() < 0.3 else text


if len(sys.argv) > 2:
    generator = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    TEXTS = TEXTS + [hostile(generator) for _ in range(int(sys.argv[2]))]

expected = {}
for name, tokenizer in tokenizers.items():
    (OUT / f"{name}.json").write_text(tokenizer.to_str(), encoding="utf-8")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    special = [tokenizer.encode(text).ids for text in TEXTS]
    expected[name] = {
        "size": tokenizer.get_vocab_size(),
        "ids": plain,
        "texts": [tokenizer.decode(ids, skip_special_tokens=True) for ids in plain],
        "idsWithSpecial": special,
        "textsWithSpecial": [tokenizer.decode(ids, skip_special_tokens=False) for ids in special],
    }
(OUT / "expected.json").write_text(json.dumps({"texts": TEXTS, "expected": expected}, separators=(",", ":")) + "\n", encoding="utf-8")
print({name: one["size"] for name, one in expected.items()})
