import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makingof.lineage.differences import compare_words
from makingof.lineage.words import Word, spell_weight, split_words

PROMPTS = st.text(alphabet="ab ,()[]<>:|.\\12lora女孩，光线BREAK\n", max_size=60)


def said(prompt: str) -> list[str]:
    """The words of a prompt, each with its weight if it has one."""
    return [
        word.text if word.weight == 1 else f"{word.text}={spell_weight(word.weight)}"
        for word in split_words(prompt)
    ]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", []),
        ("a cat, on a mat", ["a", "cat", "on", "a", "mat"]),
        ("masterpiece,1girl,blue_eyes", ["masterpiece", "1girl", "blue_eyes"]),
        ("A cat. Really!", ["A", "cat", "Really"]),
        ("it's 'quoted' v1.5", ["it's", "quoted", "v1.5"]),
        ("女孩站在窗边，光线柔和。blue眼睛", ["女孩站在窗边", "光线柔和", "blue", "眼睛"]),
        ("「少女」、夜空", ["少女", "夜空"]),
        ("(cat)", ["cat=1.1"]),
        ("((cat))", ["cat=1.21"]),
        ("[cat]", ["cat=0.9091"]),
        ("(cat:1.2)", ["cat=1.2"]),
        ("(a black cat:0.5)", ["a=0.5", "black=0.5", "cat=0.5"]),
        ("((cat:1.5) dog:0.5)", ["cat=0.75", "dog=0.5"]),
        ("(cat: 1.1 )", ["cat=1.1"]),
        ("(cat:.5)", ["cat=0.5"]),
        ("(cat:-1)", ["cat=-1"]),
        ("(cat:dog)", ["cat:dog=1.1"]),
        ("(cat:1.2.3)", ["cat:1.2.3=1.1"]),
        ("(a:1.2:1.3)", ["a:1.2=1.3"]),
        ("3:2 --ar cat::2", ["3:2", "--ar", "cat::2"]),
        (r"lora \(style\)", ["lora", "(style)"]),
        ("<lora:sharp:0.8> x", ["<lora:sharp>=0.8", "x"]),
        ("(<lora:sharp:0.5>:2)", ["<lora:sharp>"]),
        ("<lora:sharp>", ["<lora:sharp>"]),
        ("<lora:sharp:0.8:0.6>", ["<lora:sharp:0.8:0.6>"]),
        ("a < b > c", ["a", "<", "b", ">", "c"]),
        ("[cat:dog:0.5]", ["[cat:dog:0.5]"]),
        ("[cat::0.5]", ["[cat::0.5]"]),
        ("[cat|dog] x", ["[cat|dog]", "x"]),
        ("([cat|(dog)]:1.3)", ["[cat|(dog)]=1.3"]),
        ("a BREAK b AND c", ["a", "BREAK", "b", "AND", "c"]),
        ("(open cat", ["open=1.1", "cat=1.1"]),
        ("closed) cat]", ["closed)", "cat]"]),
        ("()[] ,,", []),
        ("{{cat}}", ["{{cat}}"]),
    ],
)
def test_words_and_weights_are_read_as_the_tools_read_them(prompt, words):
    assert said(prompt) == words


def test_weights_are_exact():
    assert split_words("((cat)) [dog] (bird:1.2)") == (
        Word("cat", Fraction(121, 100)),
        Word("dog", Fraction(10, 11)),
        Word("bird", Fraction(6, 5)),
    )


@pytest.mark.parametrize(
    ("weight", "text"),
    [(Fraction(1), "1"), (Fraction(10, 11), "0.9091"), (Fraction(6, 5), "1.2"), (Fraction(0), "0")],
)
def test_weights_are_spelled_short(weight, text):
    assert spell_weight(weight) == text


@settings(max_examples=300, deadline=None)
@given(prompt=PROMPTS)
def test_any_text_has_words(prompt):
    for word in split_words(prompt):
        assert word.text.strip()


@settings(max_examples=100, deadline=None)
@given(prompt=PROMPTS)
def test_words_are_those_of_the_text_without_its_marks(prompt):
    spelled = "".join(word.text for word in split_words(prompt))
    assert [sign for sign in spelled if sign in "女孩"] == [sign for sign in prompt if sign in "女孩"]


@pytest.mark.parametrize(
    "prompt",
    ["(" * 50_000 + "a" + ")" * 50_000, "[|" * 50_000, "(a:" * 30_000, "<" * 100_000, "(a:1.2)" * 15_000],
)
def test_hostile_brackets_end_soon(prompt):
    start = time.process_time()
    words = split_words(prompt)
    compare_words(words, words[::-1])
    assert time.process_time() - start < 5
