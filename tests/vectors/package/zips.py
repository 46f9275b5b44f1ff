"""Zips that two programs could read differently."""

import struct
from collections.abc import Iterator

from tests.packages import packed
from tests.vectors.package.accepted import deflated
from tests.vectors.package.packages import BASE, Case, Files, whole

BAD_NAMES = {
    "parent": "../evil.txt",
    "parent_inside": "data/../../evil.txt",
    "absolute": "/evil.txt",
    "drive": "C:evil.txt",
    "backslash": "data\\evil.txt",
    "device": "data/con.txt",
    "trailing_dot": "data/evil.",
    "space": "data/ev il",
    "hidden": "data/.evil",
    "double_slash": "data//evil",
    "long": "data/" + "x" * 100,
    "control": "data/e\x1bvil",
}


def zips() -> Iterator[Case]:
    good = packed(whole())
    files = whole()

    def case(name: str, data: bytes, fails: str = "container") -> Case:
        assert data != good
        return Case(f"zip_{name}", data, fails)

    yield case("cut_off", good[:-40])
    yield case("appended", good + b"\n")
    yield case("before", b"MZ" + good)
    yield case("comment", good[:-2] + b"\x05\x00hello")
    yield case("empty", b"PK\x05\x06" + bytes(18), "listed")
    yield case("not_a_zip", b"\x89PNG\r\n\x1a\n" + bytes(100))
    yield case("split_over_disks", patched_end(good, 4, 1))
    yield case("fewer_than_counted", patched_end(good, 8, 3))
    yield case("encrypted", patched_everywhere(good, "data/parts.jsonl", 6, 8, 1))
    yield case("strange_method", patched_everywhere(good, "data/parts.jsonl", 8, 10, 12))
    yield case("two_names", good.replace(b"data/parts.jsonl", b"data/Parts.jsonl", 1))
    yield case("two_sizes", patched_local(good, "data/parts.jsonl", 22, 7))
    yield case("hidden_between", with_hidden_bytes(good))
    yield case("overlapping", overlapping(files))
    yield case("twice", twice(files))
    yield case("case_twins", packed({**files, "data/Parts.jsonl": b"x"}))
    for name, path in BAD_NAMES.items():
        yield case(f"name_{name}", packed({**files, path: b"x"}))
    yield case(
        "name_look_alike", packed({**files, "data/p#rts.jsonl": b"x"}).replace(b"p#rts", "pаrts".encode()[:5])
    )
    yield case("bomb", bomb(files))
    yield case("deflated_to_less", deflated_lie(files, -1), "hashes")
    yield case("deflated_to_more", deflated_lie(files, 1), "hashes")


def patched_end(data: bytes, offset: int, value: int) -> bytes:
    end = bytearray(data[-22:])
    struct.pack_into("<H", end, offset, value)
    return data[:-22] + bytes(end)


def find_headers(data: bytes, name: str) -> tuple[int, int]:
    """Where the local and the central header of a member begin."""
    path = (BASE + name).encode()
    return data.index(path) - 30, data.rindex(path) - 46


def patched_everywhere(data: bytes, name: str, local: int, central: int, value: int) -> bytes:
    changed = bytearray(data)
    for start, offset in zip(find_headers(data, name), (local, central), strict=True):
        struct.pack_into("<H", changed, start + offset, value)
    return bytes(changed)


def patched_local(data: bytes, name: str, offset: int, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, find_headers(data, name)[0] + offset, value)
    return bytes(changed)


def with_hidden_bytes(data: bytes) -> bytes:
    """Bytes between the last file and the directory, which the end record is told of."""
    size, start = struct.unpack_from("<II", data, len(data) - 10)
    end = bytearray(data[-22:])
    struct.pack_into("<I", end, 16, start + 6)
    return data[:start] + b"hidden" + data[start : start + size] + bytes(end)


def overlapping(files: Files) -> bytes:
    """Two directory records that point at one file's bytes."""
    data = packed({**files, "data/parts.jsonm": files["data/parts.jsonl"]})
    local, _ = find_headers(data, "data/parts.jsonl")
    _, central = find_headers(data, "data/parts.jsonm")
    changed = bytearray(data)
    struct.pack_into("<I", changed, central + 42, local)
    return bytes(changed)


def twice(files: Files) -> bytes:
    data = packed({**files, "data/parts.jsonk": files["data/parts.jsonl"]})
    return data.replace(b"data/parts.jsonk", b"data/parts.jsonl")


def bomb(files: Files) -> bytes:
    """A file of a few bytes that says it unpacks to two gigabytes."""
    data = deflated({**files, "data/findings.json": b"0" * 4000})
    local, central = find_headers(data, "data/findings.json")
    changed = bytearray(data)
    struct.pack_into("<I", changed, local + 22, 2**31)
    struct.pack_into("<I", changed, central + 24, 2**31)
    return bytes(changed)


def deflated_lie(files: Files, by: int) -> bytes:
    data = deflated(files)
    size = len(files["data/ro-crate-metadata.json"])
    local, central = find_headers(data, "data/ro-crate-metadata.json")
    changed = bytearray(data)
    struct.pack_into("<I", changed, local + 22, size + by)
    struct.pack_into("<I", changed, central + 24, size + by)
    return bytes(changed)
