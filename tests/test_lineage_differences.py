import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makingof.lineage.differences import (
    ParameterChange,
    TextChange,
    WordDifference,
    compare_parameters,
    compare_prompts,
    compare_texts,
    compare_words,
)
from makingof.lineage.words import Word, split_words
from makingof.part import Parameter, Text
from makingof.reading import State

PROMPTS = st.lists(
    st.sampled_from(
        ["a", "cat", "(cat:1.2)", "[dog]", "女孩", "blue eyes", "<lora:x:0.8>", "BREAK", "(a (b))"]
    ),
    max_size=12,
).map(", ".join)


def told(difference: WordDifference) -> list[str]:
    """A difference in words: + added, - removed, ~ moved, = reweighted."""
    return sorted(
        [f"+{placed.word.text}" for placed in difference.added]
        + [f"-{placed.word.text}" for placed in difference.removed]
        + [f"~{shifted.word.text}" for shifted in difference.moved]
        + [f"={shifted.word.text}" for shifted in difference.reweighted]
    )


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("a cat", "a black cat", ["+black"]),
        ("a cat on a mat", "a dog, a cat on a mat", ["+a", "+dog"]),
        ("blue eyes, red hair", "green eyes, red hair", ["+green", "-blue"]),
        ("cat, dog", "(cat:1.2), dog", ["=cat"]),
        ("cat, dog, bird", "bird, cat, dog", ["~bird"]),
        ("cat, dog, bird", "(bird:1.2), cat, dog", ["~bird"]),
        ("<lora:x:0.8> cat", "<lora:x:0.6> cat", ["=<lora:x>"]),
        ("女孩，光线柔和", "女孩，光线强烈", ["+光线强烈", "-光线柔和"]),
        ("a b BREAK c", "a b c", ["-BREAK"]),
        ("", "cat", ["+cat"]),
        ("cat", "", ["-cat"]),
    ],
)
def test_a_difference_says_what_a_person_would_say(before, after, changes):
    assert told(compare_prompts(before, after)) == changes


@settings(max_examples=100, deadline=None)
@given(before=PROMPTS, after=PROMPTS)
def test_applied_to_the_words_before_it_gives_the_words_after(before, after):
    old, new = split_words(before), split_words(after)
    assert tuple(compare_words(old, new).apply(old)) == new


@settings(max_examples=100, deadline=None)
@given(prompt=PROMPTS)
def test_the_same_text_differs_in_nothing(prompt):
    assert not compare_prompts(prompt, prompt)
    assert not compare_words(split_words(prompt), split_words(prompt))


@settings(max_examples=100, deadline=None)
@given(before=PROMPTS, after=PROMPTS)
def test_other_text_differs_in_something(before, after):
    assert bool(compare_prompts(before, after)) == (before != after)


def test_other_blanks_and_punctuation_are_told_apart_from_words():
    assert compare_prompts("a cat, a dog", "a cat a dog") == WordDifference(respaced=True)


def test_a_megabyte_of_one_word_is_compared():
    words = [Word("a")] * 80_000
    start = time.process_time()
    difference = compare_words(words, [Word("b"), *words, Word("a")])
    assert time.process_time() - start < 20
    assert told(difference) == ["+a", "+b"]


def test_texts_that_cannot_be_read_are_not_compared():
    present, unreadable = Text(effective="cat"), Text(state=State.UNREADABLE, base64="7b29")
    assert compare_texts(present, present) is None
    assert compare_texts(None, None) is None
    assert compare_texts(present, unreadable) == TextChange(State.PRESENT, State.UNREADABLE, None)
    assert compare_texts(unreadable, unreadable) is None
    assert compare_texts(None, unreadable) == TextChange(State.ABSENT, State.UNREADABLE, None)


def test_two_unreadable_texts_of_other_bytes_are_not_called_the_same():
    one, other = (Text(state=State.UNREADABLE, base64=base64) for base64 in ("7b29", "7b30"))
    assert compare_texts(one, other) == TextChange(State.UNREADABLE, State.UNREADABLE, None)


def test_computed_text_is_not_the_same_as_typed_text():
    change = compare_texts(Text(effective="cat"), Text(effective="cat", state=State.COMPUTED))
    assert change == TextChange(State.PRESENT, State.COMPUTED, None)


def test_a_prompt_where_there_was_none_is_added_word_by_word():
    change = compare_texts(None, Text(effective="a cat"))
    assert change is not None
    assert (change.before, change.after) == (State.ABSENT, State.PRESENT)
    assert change.words is not None
    assert told(change.words) == ["+a", "+cat"]


def test_parameters_keep_what_was_given_apart_from_defaults():
    before = {"seed": Parameter("7"), "steps": Parameter("20"), "vae": Parameter(None, State.ABSENT)}
    after = {
        "seed": Parameter("8"),
        "steps": Parameter("20", State.DEFAULT, "elsewhere"),
        "model": Parameter("m"),
    }
    assert compare_parameters(before, after) == (
        ParameterChange("model", None, Parameter("m")),
        ParameterChange("seed", Parameter("7"), Parameter("8")),
        ParameterChange("steps", Parameter("20"), Parameter("20", State.DEFAULT, "elsewhere")),
    )
    assert compare_parameters(before, before | {"seed": Parameter("7", source="another place")}) == ()
