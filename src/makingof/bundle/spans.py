"""Which positions of the log a package shows.

For every stream the lineage draws on, imports excepted, all entries from its
`opened` to its `closed` or to the end lie side by side in the package: a number
that is missing there is missing in the log. A stream longer than `MAX_SPAN`
is shown around the lineage only, and verifying says which numbers are not here.
"""

from collections.abc import Iterable, Iterator

from makingof.lineage.graph import Stream

MAX_SPAN = 100_000  # entries, some 70 MB: what a stranger's computer still reads in seconds
_IMPORT = "import"


def find_spans(wanted: Iterable[int], streams: Iterable[Stream], size: int) -> list[tuple[int, int]]:
    """Return the half-open spans that hold all of `wanted` and every stream whole, ascending and apart."""
    wanted = sorted({position for position in wanted if position < size})
    spans = [(position, position + 1) for position in wanted]
    spans += [span for stream in streams if (span := _span_of(stream, size))]
    return list(_merged(sorted(spans)))


def _span_of(stream: Stream, size: int) -> tuple[int, int] | None:
    if stream.of == _IMPORT or stream.opened is None:
        return None
    end = size if stream.closed is None else stream.closed + 1
    return (stream.opened, end) if end - stream.opened <= MAX_SPAN else None


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start > end:
            yield start, end
            start, end = next_start, next_end
        else:
            end = max(end, next_end)
    yield start, end
