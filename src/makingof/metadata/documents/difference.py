"""What changed between two saves of one document, layer by layer.

Pure and without pixels. A layer is the same one if the program gave it the same id,
which renaming and moving leave alone; where a format has no ids, or they were given
anew, if it has the same name in the same group; then if it has the same name alone.
Everything else was removed or added. Which bytes changed is told only by the
formats whose directory keeps check sums, and says nothing about what one sees.
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from makingof.metadata.documents.document import Document, Layer

SEPARATOR = " / "
MAX_PATH_CHARS = 1_000  # a group with a name of a megabyte would be told again for each of its layers


class Change(StrEnum):
    """What happened to a layer."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"  # to another group, or past its neighbours
    SHIFTED = "shifted"  # on the canvas
    SHOWN = "shown"
    HIDDEN = "hidden"
    OPACITY = "opacity"
    BLEND = "blend"
    KIND = "kind"  # a text turned into pixels, a layer into a group
    MASKS = "masks"
    BYTES = "bytes"  # its stored data is not the same


_IN_EVERY_FORMAT = frozenset(
    {Change.ADDED, Change.REMOVED, Change.RENAMED, Change.MOVED, Change.SHOWN, Change.HIDDEN}
)
_FAMILIES = {"psb": "psd"}


@dataclass(frozen=True, slots=True)
class LayerChange:
    """One change of one layer. `path` names it with its groups, as they are now or were if it is gone."""

    change: Change
    path: str
    id: str | None = None
    before: str | None = None
    after: str | None = None


class _Placed(NamedTuple):
    """A layer with where it stands."""

    layer: Layer
    parent: int  # number of its group in the same list, -1 at the top
    path: str


_Matches: TypeAlias = dict[int, int]  # number before: number after


def compare_documents(before: Document, after: Document) -> tuple[LayerChange, ...]:
    """Compare the layers of two documents; see `compare_layers`.

    Between two formats only names, order and visibility are compared: the rest is
    said in words and scales of their own.
    """
    changes = compare_layers(before.layers, after.layers)
    if _FAMILIES.get(before.format, before.format) == _FAMILIES.get(after.format, after.format):
        return changes
    return tuple(change for change in changes if change.change in _IN_EVERY_FORMAT)


def compare_layers(before: Sequence[Layer], after: Sequence[Layer]) -> tuple[LayerChange, ...]:
    """Say what turned the layers `before` into those `after`, the order from top to bottom.

    What is gone comes first. Equal trees give nothing. As few layers as possible are
    called moved: those that stayed in order with each other did not move.
    """
    old, new = list(_placed(before)), list(_placed(after))
    matches = _match(old, new)
    found = [
        LayerChange(Change.REMOVED, entry.path, entry.layer.id)
        for number, entry in enumerate(old)
        if number not in matches
    ]
    origins = {there: here for here, there in matches.items()}
    moved = _moved(old, new, matches)
    for number, entry in enumerate(new):
        if number not in origins:
            found.append(LayerChange(Change.ADDED, entry.path, entry.layer.id))
            continue
        earlier = old[origins[number]]
        if number in moved:
            found.append(LayerChange(Change.MOVED, entry.path, entry.layer.id, earlier.path, entry.path))
        found.extend(_changed(earlier.layer, entry))
    return tuple(found)


def _placed(layers: Sequence[Layer], parent: int = -1, above: str = "") -> list[_Placed]:
    """Number all layers from the top down."""
    found: list[_Placed] = []
    _place(found, layers, parent, above)
    return found


def _place(found: list[_Placed], layers: Sequence[Layer], parent: int, above: str) -> None:
    for layer in layers:
        path = (f"{above}{SEPARATOR}{layer.name}" if above else layer.name)[-MAX_PATH_CHARS:]
        found.append(_Placed(layer, parent, path))
        _place(found, layer.children, len(found) - 1, path)


def _match(old: list[_Placed], new: list[_Placed]) -> _Matches:
    """Pair layers by the first rule that tells them apart; each rule sees what those before left over."""
    matches: _Matches = {}
    taken: set[int] = set()
    rules: tuple[Callable[[_Placed], Hashable], ...] = (
        lambda entry: entry.layer.id,
        lambda entry: (entry.path, entry.layer.kind),
        lambda entry: (entry.layer.name, entry.layer.kind),
    )
    for rule in rules:
        ours = _unique((number, rule(entry)) for number, entry in enumerate(old) if number not in matches)
        theirs = _unique((number, rule(entry)) for number, entry in enumerate(new) if number not in taken)
        for key, number in ours.items():
            if key in theirs:
                matches[number] = theirs[key]
                taken.add(theirs[key])
    _match_twins(old, new, matches, taken)
    return matches


def _unique(keys: Iterable[tuple[int, Hashable]]) -> dict[Hashable, int]:
    """Keep the keys that only one layer has; no id is no key."""
    listed = [(number, key) for number, key in keys if key is not None]
    counts = Counter(key for _, key in listed)
    return {key: number for number, key in listed if counts[key] == 1}


def _match_twins(old: list[_Placed], new: list[_Placed], matches: _Matches, taken: set[int]) -> None:
    """Pair layers that share name and group with others, in their order: which is which nobody can tell."""
    waiting: dict[Hashable, deque[int]] = {}
    for number, entry in enumerate(new):
        if number not in taken:
            waiting.setdefault((entry.path, entry.layer.kind), deque()).append(number)
    for number, entry in enumerate(old):
        there = waiting.get((entry.path, entry.layer.kind))
        if number not in matches and there:
            matches[number] = there.popleft()


def _moved(old: list[_Placed], new: list[_Placed], matches: _Matches) -> set[int]:
    """Find the layers that changed group, and among the others of a group the fewest whose order changed."""
    moved: set[int] = set()
    stayed: dict[int, list[int]] = {}
    for here, there in sorted(matches.items()):
        group = old[here].parent
        if (matches.get(group) if group >= 0 else -1) != new[there].parent:
            moved.add(there)
        else:
            stayed.setdefault(new[there].parent, []).append(there)
    for order in stayed.values():
        moved |= set(order) - set(_longest_rising(order))
    return moved


def _longest_rising(numbers: list[int]) -> Iterator[int]:
    """Yield a longest rising subsequence, last number first (patience sorting)."""
    tops: list[int] = []
    places: list[int] = []  # of each top in `numbers`
    before: list[int] = []  # place of the number one pile to the left
    for place, number in enumerate(numbers):
        pile = bisect_left(tops, number)
        before.append(places[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(number)
            places.append(place)
        else:
            tops[pile], places[pile] = number, place
    place = places[-1] if places else -1
    while place >= 0:
        yield numbers[place]
        place = before[place]


def _changed(earlier: Layer, entry: _Placed) -> Iterator[LayerChange]:
    """Compare what one layer says of itself; a value that one save does not state is no change."""
    later = entry.layer
    if earlier.visible is not None and later.visible is not None and earlier.visible != later.visible:
        yield LayerChange(Change.SHOWN if later.visible else Change.HIDDEN, entry.path, later.id)
    pairs = (
        (Change.RENAMED, earlier.name, later.name),
        (Change.KIND, earlier.kind, later.kind),
        (Change.OPACITY, earlier.opacity, later.opacity),
        (Change.BLEND, earlier.blend, later.blend),
        (Change.SHIFTED, _corner(earlier), _corner(later)),
        (Change.MASKS, _masks(earlier), _masks(later)),
        (Change.BYTES, earlier.mark, later.mark),
    )
    for change, said, says in pairs:
        if said is not None and says is not None and said != says:
            yield LayerChange(change, entry.path, later.id, str(said), str(says))


def _masks(layer: Layer) -> str:
    return ", ".join(name or "unnamed" for name in layer.masks)


def _corner(layer: Layer) -> str | None:
    return None if layer.at is None else f"{layer.at[0]},{layer.at[1]}"
