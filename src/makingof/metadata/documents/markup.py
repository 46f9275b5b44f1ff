"""XML from inside documents, as a tree that cannot grow without bound.

No entity is expanded and nothing outside is fetched; a document type declaration
is let through, because Krita writes one into every file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from makingof.errors import MalformedError

MAX_XML_BYTES = 16 << 20
MAX_ELEMENTS = 100_000
MAX_DEPTH = 100


@dataclass(slots=True)
class Node:
    """One element; `tag` is without its namespace."""

    tag: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def find(self, tag: str) -> "Node | None":
        """Return the first child called `tag`, or None."""
        return next((child for child in self.children if child.tag == tag), None)

    def find_all(self, tag: str) -> Iterator["Node"]:
        """Yield every child called `tag`."""
        return (child for child in self.children if child.tag == tag)

    def number(self, name: str) -> int | None:
        """Read an attribute as a whole number, or None where it is none."""
        return whole_number(self.attributes.get(name))

    def position(self) -> tuple[int, int] | None:
        """Read the attributes `x` and `y`, or None where one is no whole number."""
        x, y = self.number("x"), self.number("y")
        return None if x is None or y is None else (x, y)


def whole_number(text: str | None) -> int | None:
    """Read a decimal whole number of at most 18 digits, or None."""
    if text is None:
        return None
    digits = text.strip()
    plain = digits.removeprefix("-")
    return int(digits) if plain.isascii() and plain.isdigit() and len(plain) <= 18 else None  # noqa: PLR2004 - fits 64 bits


class _Builder:
    """Target of the parser; counts while it builds."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[tuple[Node, list[str]]] = []  # with its text, which comes in small pieces
        self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            message = f"XML has more than {MAX_ELEMENTS} elements or is nested deeper than {MAX_DEPTH}"
            raise MalformedError(message)
        node = Node(_local(tag), {_local(name): value for name, value in attributes.items()})
        if self._open:
            self._open[-1][0].children.append(node)
        elif self.root is None:
            self.root = node
        self._open.append((node, []))

    def end(self, _tag: str) -> None:
        node, texts = self._open.pop()
        node.text = "".join(texts)

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1][1].append(text)

    def close(self) -> Node | None:
        return self.root


def parse_xml(data: bytes) -> Node:
    """Return the root element. Anything but XML within our limits is a `MalformedError`."""
    if len(data) > MAX_XML_BYTES:
        message = f"XML of {len(data)} bytes is over {MAX_XML_BYTES}"
        raise MalformedError(message)
    builder = _Builder()
    parser = XMLParser(target=builder, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        parser.close()
    except (ParseError, DefusedXmlException, LookupError, ValueError) as err:
        message = f"XML does not parse: {err}"
        raise MalformedError(message) from err
    if builder.root is None:
        message = "XML has no element"
        raise MalformedError(message)
    return builder.root


def _local(name: str) -> str:
    return name.rpartition("}")[2]
