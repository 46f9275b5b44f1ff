"""Finding a withheld text however a tool wrote it."""

import base64
import gzip
import html
import json
import urllib.parse
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makingof.bundle.search import NOTHING_WITHHELD, Withheld
from makingof.digest import Digest

ENGLISH = 'a crystal pendant, moonlight & "soft" glow <best>'
CHINESE = "水晶吊坠，月光下的猫咪，柔和的光线"
MIXED = "a cat 猫 wearing a 🐉 crown, 100% detail"

FORMS = {
    "plain": lambda text: text.encode(),
    "upper": lambda text: text.upper().encode(),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-32-le": lambda text: text.encode("utf-32-le"),
    "json": lambda text: json.dumps({"x": text}).encode(),
    "json unescaped": lambda text: json.dumps({"x": text}, ensure_ascii=False).encode(),
    "json in json": lambda text: json.dumps(json.dumps({"x": text})).encode(),
    "json in json in json": lambda text: json.dumps(json.dumps(json.dumps({"x": text}))).encode(),
    "percent": lambda text: urllib.parse.quote(text).encode(),
    "percent all": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
    "form": lambda text: urllib.parse.urlencode({"q": text}).encode(),
    "html": lambda text: html.escape(text).encode(),
    "html decimal": lambda text: "".join(f"&#{ord(letter)};" for letter in text).encode(),
    "html hex": lambda text: "".join(f"&#x{ord(letter):X};" for letter in text).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "hex upper": lambda text: text.encode().hex().upper().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 url": lambda text: base64.urlsafe_b64encode(text.encode()),
    "base64 of utf-16": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "base64 of json": lambda text: base64.b64encode(json.dumps({"x": text}).encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
    "zlib fast": lambda text: zlib.compress(text.encode(), 1),
    "gzip": lambda text: gzip.compress(text.encode()),
    "base64 of zlib": lambda text: base64.b64encode(zlib.compress(text.encode())),
    "gb18030": lambda text: text.encode("gb18030"),
}


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, MIXED])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", [(b"", b""), (b'{"a":"', b'"}'), (b"\x00\x01\xff ", b" \xfe\x00")])
def test_a_text_is_found_in_every_form(text, form, around):
    before, after = around
    data = before + FORMS[form](text) + after
    assert Withheld(frozenset({text})).whole_is_in(data)
    assert Withheld(frozenset({text})).is_in(data)


def test_latin_1_is_found():
    text = "café crème, déjà vu, naïveté"
    assert Withheld(frozenset({text})).is_in(b"tEXt" + text.encode("latin-1"))


@pytest.mark.parametrize("form", FORMS)
def test_something_else_is_not_found(form):
    withheld = Withheld(frozenset({ENGLISH, CHINESE}), frozenset({Digest.of(b"x").raw}))
    other = "an iron gate in the rain, morning, 铁门与雨"
    assert not withheld.is_in(FORMS[form](other))


def test_a_longer_phrase_is_found_in_part_only_where_phrases_count():
    withheld = Withheld(frozenset({"cat, a crystal pendant with moonlight, best quality"}))
    data = b'{"note":"copied a crystal pendant with moonlight from her"}'
    assert withheld.is_in(data)
    assert not withheld.whole_is_in(data)


def test_short_texts_are_found_only_as_whole_values():
    withheld = Withheld(frozenset({"cat"}))
    assert withheld.is_in(b'{"text":"cat"}')
    assert not withheld.is_in(b'{"text":"category"}')


def test_one_of_our_own_words_as_a_prompt_does_not_make_headers_unshowable():
    assert not Withheld(frozenset({"generated"})).whole_is_in(b'{"kind":"generated"}')


def test_digests_are_found_raw_in_hex_and_in_base64():
    digest = Digest.of(b"a sealed picture")
    withheld = NOTHING_WITHHELD.with_digests([digest.raw])
    for data in (digest.raw, digest.encode(), digest.hex.upper().encode(), base64.b64encode(digest.raw)):
        assert withheld.is_in(b"\x01" + data + b"\x02")
        assert withheld.whole_is_in(b"\x01" + data + b"\x02")
    assert not withheld.is_in(Digest.of(b"another").encode())


def test_nothing_withheld_is_found_nowhere():
    assert not NOTHING_WITHHELD
    assert not NOTHING_WITHHELD.is_in(b"anything")


def test_a_thousand_texts_are_searched_for_at_once():
    texts = [f"prompt number {number} of a very long list of prompts" for number in range(1000)]
    withheld = Withheld(frozenset(texts))
    assert withheld.is_in(b"x" * 100_000 + texts[777].encode())
    assert not withheld.is_in(b"x" * 100_000)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_searched_without_an_error(data):
    Withheld(frozenset({ENGLISH})).is_in(data)
    Withheld(frozenset({ENGLISH})).is_in(
        zlib.compress(data) + base64.b64encode(data) + b"&#x110000;\\ud800%zz"
    )


def test_bombs_are_searched_within_bounds():
    bomb = zlib.compress(zlib.compress(b"\0" * 4_000_000))
    assert not Withheld(frozenset({ENGLISH})).is_in(bomb)
