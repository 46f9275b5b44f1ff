"""What is withheld is nowhere in a package, and a right guess of it cannot be confirmed from one."""

import base64
import hashlib
import hmac
import html
import io
import itertools
import json
import re
import zipfile
import zlib
from dataclasses import replace
from urllib.parse import quote

import pytest
from tests.histories import PROGRAM, Said, job, negative, note, parameters, place, prompt, reason
from tests.packages import NEGATIVE, PROMPT, Archive, Session, make_session, unpack
from tests.records import a1111_png, infotext, png

from makingof.bundle.collect import collect_package
from makingof.bundle.description import Options
from makingof.bundle.request import Request
from makingof.bundle.write import write_package
from makingof.digest import Digest
from makingof.errors import IntegrityError, UsageError
from makingof.event import Kind, Source
from makingof.part import Means, Part, PartType, Raw, Role, Text, body_of
from makingof.stamp.sm3 import sm3_hex
from makingof.verify.check import check_bundle

HIDDEN = Options(withhold=("prompts",))


def session_with_prompts_everywhere() -> Session:
    """A session whose prompt lies in every place a tool or a person may put it."""
    session = make_session()
    archive, history = session.archive, session.archive.history
    record = infotext(PROMPT, NEGATIVE, seed=3)
    data = a1111_png(PROMPT, NEGATIVE, seed=3, colour=(90, 10, 160))
    file = archive.put(data)
    raw = Raw(
        "png:iTXt:parameters",
        Digest.of(record.encode()),
        len(record),
        base64=base64.b64encode(record.encode()).decode(),
    )
    report = {"facts": {"request": json.dumps({"inputs": {"text": PROMPT}}), "sha256": Digest.of(data).hex}}
    archive.generate(
        data,
        prompt(PROMPT, typed=f"{PROMPT} __wildcard__"),
        negative(NEGATIVE),
        parameters(seed="3", prompt_of_hires=PROMPT),
        place(f"/home/a/out/00003-{PROMPT}.png"),
        Said(PartType.RAW, body_of(raw)),
        Said(PartType.REPORT, report),
    )
    history.tell(Kind.NOTED, note(f"I copied this from her: {PROMPT}"), actor="a1", source=PROGRAM)
    history.tell(
        Kind.NOTED, note(f"the file {file} is good"), cites=[session.chosen], actor="a1", source=PROGRAM
    )
    history.tell(Kind.NOTED, note("nothing to hide here"), cites=[session.chosen], actor="a1", source=PROGRAM)
    history.keep(session.final, final=True, said=[reason("because of " + quote(PROMPT))])
    return session


def hidden_package(session: Session) -> dict[str, bytes]:
    return unpack(session.archive.write(Request((session.final,), session.archive.history.size(), HIDDEN)))


def spellings(text: str) -> dict[str, bytes]:
    """Every spelling the readers know, made here and not by the program's own search."""
    plain = {
        "utf-8": text.encode(),
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "json": json.dumps(text)[1:-1].encode(),
        "json in json": json.dumps(json.dumps(text)[1:-1])[1:-1].encode(),
        "percent": quote(text).encode(),
        "percent all": quote(text, safe="").encode(),
        "html": html.escape(text).encode(),
        "html numbers": "".join(f"&#{ord(letter)};" for letter in text).encode(),
        "hex": text.encode().hex().encode(),
        "HEX": text.encode().hex().upper().encode(),
    }
    if all(ord(letter) < 256 for letter in text):
        plain["latin-1"] = text.encode("latin-1")
    for name, data in list(plain.items()):
        for shift in range(3):
            usable = data[shift : len(data) - (len(data) - shift) % 3]
            plain[f"base64 of {name} at {shift}"] = base64.b64encode(usable)
    return plain


def contents(files: dict[str, bytes]) -> dict[str, bytes]:
    """Every file, and everything compressed inside one."""
    found = dict(files)
    for name, data in files.items():
        for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b", data):
            try:
                inside = zlib.decompressobj(47).decompress(data[start.start() :], 1 << 20)
            except zlib.error:
                continue
            found[f"{name} unpacked at {start.start()}"] = inside
    return found


def found_in(files: dict[str, bytes], text: str) -> list[tuple[str, str]]:
    forms = spellings(text)
    return [
        (name, form)
        for name, data in contents(files).items()
        for form, spelled in forms.items()
        if spelled.lower() in data.lower()
    ]


def test_the_search_of_this_test_finds_what_is_not_withheld():
    session = session_with_prompts_everywhere()
    whole = unpack(session.archive.package(session.final))
    names = {name.partition(" ")[0] for name, _ in found_in(whole, PROMPT)}
    assert {"data/parts.jsonl", "data/files/0001.png", "data/files/0002.png"} <= names


@pytest.mark.parametrize(
    "text", [PROMPT, NEGATIVE, *(piece for piece in PROMPT.split(", ") if len(piece) > 9)]
)
def test_no_file_of_a_package_holds_a_withheld_prompt_in_any_spelling(text):
    assert found_in(hidden_package(session_with_prompts_everywhere()), text) == []


def test_the_whole_zip_holds_it_neither():
    session = session_with_prompts_everywhere()
    package = session.archive.write(Request((session.final,), session.archive.history.size(), HIDDEN))
    assert found_in({"zip": package}, PROMPT) == []


def test_what_holds_no_prompt_stays():
    parts = hidden_package(session_with_prompts_everywhere())["data/parts.jsonl"]
    assert b"nothing to hide here" in parts
    assert b"light on the stone" in parts
    assert b'"seed"' in parts


def test_no_digest_of_a_sealed_original_appears_anywhere():
    session = session_with_prompts_everywhere()
    files = hidden_package(session)
    sealed = [data for data in session.archive.blobs.values() if PROMPT.encode() in data]
    assert len(sealed) == 3
    for data in sealed:
        for algorithm in ("sha256", "sha1", "md5", "sha512"):
            raw = hashlib.new(algorithm, data).digest()
            for spelled in (raw, raw.hex().encode(), base64.b64encode(raw)):
                assert not [name for name, content in contents(files).items() if spelled in content]
        assert not [name for name, content in contents(files).items() if sm3_hex(data).encode() in content]


def hex_runs(files: dict[str, bytes], digits: int) -> set[bytes]:
    pattern = re.compile(rb"(?<![0-9a-f])[0-9a-f]{%d}(?![0-9a-f])" % digits)
    return {bytes.fromhex(run.decode()) for data in files.values() for run in pattern.findall(data)}


def known_digests(files: dict[str, bytes]) -> set[bytes]:
    """Every 32 bytes anywhere in a package that could be a SHA-256, spelled in hex or base64."""
    coded = {run for data in files.values() for run in re.findall(rb"[A-Za-z0-9+/]{43}=", data)}
    return hex_runs(files, 64) | set(map(base64.b64decode, coded))


def known_salts(files: dict[str, bytes]) -> set[bytes]:
    return {b""} | hex_runs(files, 32)


def guesses(session: Session) -> list[bytes]:
    """What somebody makes who guesses prompts and every setting right, with all that is disclosed."""
    right: list[bytes] = [PROMPT.encode(), NEGATIVE.encode(), json.dumps(PROMPT).encode()]
    for data in session.archive.blobs.values():
        if PROMPT.encode() not in data:
            continue
        right.append(data)  # the whole original, put together from the copy and the guess
        start = data.index(b"iTXt") - 4
        size = int.from_bytes(data[start : start + 4]) + 12
        right += [
            data[start : start + size],
            data[start + 8 : start + size - 4],
            data[start + 8 + 15 : start + size - 4],
        ]
    for seed in (1, 2, 3):
        right.append(infotext(PROMPT, NEGATIVE, seed=seed).encode())
    for text in (PROMPT, NEGATIVE, infotext(PROMPT, NEGATIVE, seed=1)):
        right += [
            text.encode("utf-16-le"),
            text.encode("utf-16-be"),
            text.strip().lower().encode(),
            text.encode() + b"\n",
        ]
    return list(dict.fromkeys(right))


def parts_with_salt(salt: bytes) -> list[bytes]:
    """The parts themselves, if their salt could be one of those that are shown."""
    return [
        Part(part_type, salt.hex(), Means.LIVE, "test", None, body_of(Text(effective=text))).to_bytes()
        for text in (PROMPT, NEGATIVE)
        for part_type in (PartType.PROMPT, PartType.NEGATIVE)
    ]


def confirmed(files: dict[str, bytes], guessed: list[bytes]) -> list[bytes]:
    """Which guesses a digest in the package confirms: alone, or with any salt before, behind or as key."""
    digests, salts = known_digests(files), known_salts(files)
    found = []
    for guess, salt in itertools.product(guessed, salts):
        tried = [salt + guess, guess + salt, b"\x00" + salt + guess, salt.hex().encode() + guess]
        hashes = [hashlib.sha256(data).digest() for data in tried] + [hmac.digest(salt, guess, "sha256")]
        if digests.intersection(hashes):
            found.append(guess)
    for salt in salts - {b""}:
        found += [part for part in parts_with_salt(salt) if hashlib.sha256(part).digest() in digests]
    return found


def test_a_right_guess_is_confirmed_by_a_package_that_shows_everything():
    session = make_session()
    files = unpack(session.archive.package(session.final))
    hits = confirmed(files, guesses(session))
    assert [data for data in session.archive.blobs.values() if PROMPT.encode() in data and data in hits]
    assert any(PROMPT.encode() in hit and b'"type":"prompt"' in hit for hit in hits)


def test_a_right_guess_cannot_be_confirmed_from_a_package_that_withholds():
    session = session_with_prompts_everywhere()
    assert confirmed(hidden_package(session), guesses(session)) == []


def test_a_package_that_withholds_still_checks_and_says_what_it_lacks():
    session = session_with_prompts_everywhere()
    report = check_bundle(
        session.archive.write(Request((session.final,), session.archive.history.size(), HIDDEN))
    )
    report.require()
    words = "\n".join(report.lines("en"))
    assert "copy without iTXt" in words
    assert "Statements are sealed" in words


def test_pictures_with_data_in_their_pixels_go_as_preview():
    session = make_session()
    request = Request((session.final,), session.archive.history.size(), HIDDEN)
    package = session.archive.write(request, has_pixel_data=lambda data: b"iTXt" in data)
    files = unpack(package)
    assert "data/files/0001-preview.jpg" in files
    assert not [name for name in files if "copy" in name]
    check_bundle(package).require()


def test_documents_that_cannot_be_searched_are_sealed():
    archive = Archive()
    session = make_session(archive)
    document = b"a document of no known container, " + zlib.compress(PROMPT.encode())
    file = archive.picture(document, Role.REFERENCE)[0]
    archive.history.tell(
        Kind.NOTED, note("see the document"), file, cites=[session.chosen], actor="a1", source=PROGRAM
    )
    request = Request((session.final,), archive.history.size(), HIDDEN)
    files = unpack(archive.write(request, make_preview=lambda _: None))
    assert Digest.of(document).hex.encode() not in b"".join(files.values())
    described = json.loads(files["data/package.json"])["files"]
    assert [(file["shows"], file["why"]) for file in described if "name" not in file] == [
        ("nothing", "withheld")
    ]


def test_pictures_without_text_are_shown_as_they_are():
    session = make_session()
    files = hidden_package(session)
    assert files["data/files/0003.png"] in session.archive.blobs.values()


def test_a_prompt_in_a_header_cannot_be_withheld():
    session = make_session()
    source = Source("hook", "1", PROMPT, None)
    told = session.archive.generate(png(colour=(1, 2, 3)), prompt(PROMPT), job("job-1"), source=source)
    with pytest.raises(UsageError):
        hidden_package(replace(session, final=told.file()))


def test_findings_that_quote_the_prompt_are_refused():
    session = make_session()
    request = Request((session.final,), session.archive.history.size(), HIDDEN, findings=PROMPT.encode())
    with pytest.raises(UsageError):
        session.archive.write(request)


def test_views_that_quote_the_prompt_are_refused_before_anything_is_written():
    session = make_session()
    package = collect_package(
        session.archive.sources(), Request((session.final,), session.archive.history.size(), HIDDEN)
    )
    out = io.BytesIO()
    with pytest.raises(IntegrityError):
        write_package(
            out, package, sign=session.archive.sign, make_views=lambda _: {"dossier.html": PROMPT.encode()}
        )
    assert out.getvalue() == b""


def shown_types(files: dict[str, bytes]) -> list[str]:
    return [json.loads(line)["type"] for line in files["data/parts.jsonl"].splitlines()]


def test_one_kind_of_part_can_be_withheld():
    session = make_session()
    files = unpack(session.archive.package(session.final, withhold=("reason",)))
    assert "reason" not in shown_types(files)
    assert "prompt" in shown_types(files)
    assert files["data/files/0001.png"] in session.archive.blobs.values()
    assert b"the eyes are wrong" not in b"".join(files.values())


def test_one_part_of_one_event_can_be_withheld():
    session = make_session()
    rejected = next(
        told for told in session.archive.history.told if session.archive.kind(told) is Kind.REJECTED
    )
    files = unpack(session.archive.package(session.final, withhold=(f"{rejected.name}:reason",)))
    assert shown_types(files).count("reason") == 1
    assert b"the eyes are wrong" not in b"".join(files.values())
    assert b"light on the stone" in files["data/parts.jsonl"]


def test_the_prompt_of_one_event_seals_its_picture_too():
    session = make_session()
    only = "a prompt that only one picture was made from"
    data = a1111_png(only, seed=77, colour=(7, 7, 7))
    told = session.archive.generate(data, prompt(only), job("job-1"))
    session.archive.history.keep(told.file())
    request = Request(
        (told.file(),), session.archive.history.size(), Options((f"{told.name}:prompt",), full=True)
    )
    files = unpack(session.archive.write(request))
    assert found_in(files, only) == []
    assert Digest.of(data).hex.encode() not in b"".join(files.values())


def test_a_picture_withheld_by_name_leaves_neither_bytes_nor_digest():
    session = make_session()
    files = unpack(session.archive.package(session.final, withhold=("file",)))
    for data in session.archive.blobs.values():
        assert Digest.of(data).hex.encode() not in b"".join(files.values())
    assert not [name for name in files if name.startswith("data/files/")]


@pytest.mark.parametrize(
    "word", ["", "everything", "own", "pieces", "e41:reason", "sha256:0:reason", ":prompt"]
)
def test_words_that_name_nothing_to_withhold_are_refused(word):
    session = make_session()
    with pytest.raises(UsageError):
        session.archive.package(session.final, withhold=(word,))


def test_a_package_names_files_by_neutral_numbers():
    session = session_with_prompts_everywhere()
    package = session.archive.write(Request((session.final,), session.archive.history.size(), HIDDEN))
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        names = [name for name in archive.namelist() if "/files/" in name]
    assert all(re.search(r"/files/[0-9]{4}(-copy|-preview)?\.[a-z]+$", name) for name in names)
