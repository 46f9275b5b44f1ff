"""`00-READ-ME-FIRST.html`: the table of files and the steps by hand, in Chinese and English.

For a reader with nothing but Windows. A view without scripts or links: text
that came from a tool or a person is not in it; numbers and digests are.
"""

import re
from collections.abc import Iterable
from html import escape

from makingof.bundle import layout
from makingof.bundle.description import File, Shows, Why
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.event import Kind
from makingof.keys.sshsig import PACKAGE_NAMESPACE
from makingof.lineage.second_looks import compare_generators
from makingof.stamp.sm3 import sm3_hex
from makingof.texts import LANGUAGES, Message, say

_STYLE = """
body { font: 16px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #1a1a1a;
  background: #fff; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
p[lang=zh], li[lang=zh], div[lang=zh] { margin-bottom: 0.1rem; }
[lang=en] { color: #444; }
h1, h2 { line-height: 1.25; }
h1 [lang=en], h2 [lang=en] { display: block; font-size: 0.75em; }
table { border-collapse: collapse; width: 100%; font-size: 0.85rem; }
th, td { border: 1px solid #999; padding: 0.4rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #eee; }
code, pre { font: 0.8rem/1.4 ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: #f4f4f4; padding: 0.6rem; white-space: pre-wrap; }
.first { border: 2px solid #a40000; padding: 0.5rem 1rem; }
@media print { body { margin: 0; max-width: none; } }
"""

# What the recorder calls a tool; anything else in its place is somebody's text, and stays out of this page.
_TOOL_NAME = re.compile(r"[a-z0-9-]{1,32}")
_JUDGED = {Kind.SELECTED: "package.shows_selected", Kind.REJECTED: "package.shows_rejected"}


def make_front_page(record: Record, manifest: bytes, folder: str) -> bytes:
    """Write the page. `manifest` is the payload's, whose digest names the package."""
    body = [
        _heading("h1", say("package.front_title")),
        _block("first", [say("package.front_first")]),
        *_paragraphs([say("package.front_what", **_facts(record, manifest)), say("package.front_limits")]),
        *_paragraphs(_histories(record)),
        _heading("h2", say("package.front_table")),
        _table(record, manifest),
        *_paragraphs([say("package.front_table_rest")]),
        _heading("h2", say("package.front_steps")),
        *_steps(record, folder),
        _heading("h2", say("package.front_not_shown")),
        *_paragraphs(
            [
                say("package.front_attested"),
                say("package.front_one_of_several"),
                say("package.front_no_advice"),
            ]
        ),
    ]
    return "\n".join([_head(), *body, "</body></html>", ""]).encode()


def _head() -> str:
    # The policy forbids everything a hostile text could try, should one ever get in.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    title = escape(say("package.front_title").in_language("zh"))
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    )


def _facts(record: Record, manifest: bytes) -> dict[str, object]:
    log = record.description.log
    return {
        "origin": log.origin,
        "size": log.size,
        "entries": len(record.entries),
        "lineage": len(record.lineage),
        "payload": Digest.of(manifest).hex,
        "made_with": record.description.made_with,
    }


def _histories(record: Record) -> list[Message]:
    """Say of each generator how its own history stood beside the record."""
    return [
        say(
            "package.front_history",
            tool=found.tool if _TOOL_NAME.fullmatch(found.tool) else "?",
            looks=found.looks,
            missing=len(found.missing),
        )
        for found in compare_generators(record.entries)
    ]


def _table(record: Record, manifest: bytes) -> str:
    columns = ("number", "name", "shows", "original", "sha256", "sm3")
    head = "".join(f"<th>{_both(say(f'package.column_{column}'))}</th>" for column in columns)
    rows = [_file_row(record, file) for file in record.description.files]
    rows.append(
        _row(
            "–",
            layout.MANIFEST,
            _both(say("package.shows_manifest")),
            _both(say("package.is_signed")),
            manifest,
        )
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(number: str, name: str, shows: str, original: str, data: bytes) -> str:
    return _cells([number, _code(name), shows, original, _code(Digest.of(data).hex), _code(sm3_hex(data))])


def _file_row(record: Record, file: File) -> str:
    return _cells(
        [
            str(file.number),
            _code(file.name or "–"),
            "<br>".join(_both(message) for message in _what_it_shows(record, file)),
            _both(_how_it_stands(file)),
            _code(file.sha256.hex if file.sha256 else "–"),
            _code(file.sm3 or "–"),
        ]
    )


def _what_it_shows(record: Record, file: File) -> list[Message]:
    """Say in which events the file plays a part; only words of ours, numbers and kinds."""
    messages = [
        say("package.shows_event", kind=say(f"package.kind_{entry.kind}"), position=entry.position)
        for entry in record.entries_of(file)
    ]
    judged = {
        entry.position: (entry, choice)
        for part in file.parts
        for entry, choice in record.judgements.get(part, ())
    }
    for position in sorted(judged):
        entry, choice = judged[position]
        key = "package.shows_final" if choice.final else _JUDGED[entry.kind]
        messages.append(say(key, position=position))
    return messages


def _how_it_stands(file: File) -> Message:
    if file.shows is Shows.ORIGINAL:
        return say("package.is_original")
    why = say(f"package.why_{file.why or Why.UNAVAILABLE}")
    return say(f"package.is_{file.shows}", why=why)


def _steps(record: Record, folder: str) -> list[str]:
    origin = record.description.log.origin
    commands = {
        "windows": f"certutil -hashfile {layout.MANIFEST} SHA256",
        "files": f"cd {folder}\nsha256sum -c {layout.MANIFEST}",
        "signature": (
            f"ssh-keygen -Y verify -f {layout.ALLOWED_SIGNERS} -I {origin} -n {PACKAGE_NAMESPACE} "
            f"-s {layout.SIGNATURE} < {layout.MANIFEST}"
        ),
        "checkpoint": _checkpoint_commands(),
    }
    steps = [
        block
        for step, command in commands.items()
        for block in (*_paragraphs([say(f"package.step_{step}")]), f"<pre>{escape(command)}</pre>")
    ]
    steps += _paragraphs([say("package.step_time")])
    steps += [f"<pre>{escape(command)}</pre>" for command in _time_commands(record)]
    return [*steps, *_paragraphs([say("package.step_program")]), "<pre>python3 verify.py PACKAGE.zip</pre>"]


def _checkpoint_commands() -> str:
    """Cut the note into the text that is signed and the 64 bytes of its signature, beside the package."""
    return (
        f"head -n 3 {layout.CHECKPOINT} > ../text\n"
        f"sed -n 5p {layout.CHECKPOINT} | cut -d' ' -f3 | base64 -d | tail -c 64 > ../signature\n"
        f"openssl pkeyutl -verify -pubin -inkey {layout.KEY_PEM} -rawin -in ../text -sigfile ../signature"
    )


def _time_commands(record: Record) -> list[str]:
    commands = []
    for stamp in record.description.stamps:
        for receipt in stamp.receipts:
            chain = "".join(f" -untrusted {name}" for name in receipt.beside if name.endswith(".pem"))
            if receipt.name.endswith(".tsr"):
                commands.append(f"openssl ts -reply -in {receipt.name} -text")
                commands.append(
                    f"openssl ts -verify -data {stamp.subject} -in {receipt.name}{chain} "
                    f"-CAfile ROOTS-OF-YOUR-OWN.pem -attime SECONDS"
                )
    return commands[:2]


def _cells(cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _both(message: Message) -> str:
    if len({message.in_language(language) for language in LANGUAGES}) == 1:
        return escape(str(message))
    return " ".join(
        f'<span lang="{language}">{escape(message.in_language(language))}</span>'
        for language in reversed(LANGUAGES)
    )


def _heading(tag: str, message: Message) -> str:
    return f"<{tag}>{_both(message)}</{tag}>"


def _paragraphs(messages: Iterable[Message]) -> list[str]:
    return [
        f'<p lang="{language}">{escape(message.in_language(language))}</p>'
        for message in messages
        for language in reversed(LANGUAGES)
    ]


def _block(name: str, messages: Iterable[Message]) -> str:
    return f'<div class="{name}">{"".join(_paragraphs(messages))}</div>'
