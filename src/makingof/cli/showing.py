"""`show`: a lineage on a terminal, what was asked for, what came, what was chosen, what was done by hand."""

from collections.abc import Iterable, Iterator, Mapping

from makingof.archive.known_names import KnownNamer
from makingof.archive.reader import ArchiveReader
from makingof.cli.command import argument, command
from makingof.cli.opening import reading
from makingof.cli.second_looks import second_look_lines
from makingof.cli.spelling import short, visible
from makingof.cli.terminal import Terminal
from makingof.digest import Digest
from makingof.errors import MakingofError
from makingof.lineage.choices import ChoiceMade
from makingof.lineage.differences import ParameterChange, TextChange
from makingof.lineage.growing import make_tree
from makingof.lineage.lineage import Lineage
from makingof.lineage.tree import (
    Edit,
    Generation,
    OtherAct,
    Pixels,
    Tree,
    TreePicture,
    pairs_to_compare,
    with_pixels,
)
from makingof.lineage.words import Word, spell_weight
from makingof.part import Parameter
from makingof.pictures import Difference, compare
from makingof.reading import State
from makingof.texts import say

_MAX_COMPARED = 40  # pairs of pictures whose pixels are compared for one screen
_PROMPT_WIDTH = 400
_FIRST_SETTINGS = ("seed", "steps", "sampler", "guidance", "model", "adapters")
_UNSETTLED = frozenset({"reader", "job"})  # differ with every job and say nothing of the making


@command("show")
@argument("pictures", nargs=-1, required=True)
def show(terminal: Terminal, pictures: tuple[str, ...]) -> None:
    """Show how pictures came to be; see `help.show`."""
    with reading(terminal) as archive:
        found = KnownNamer(archive).pictures(pictures)
        lineage = archive.index.lineage(archive.log, [picture.file_part for picture in found])
        if terminal.as_json:
            terminal.json(compared_tree(archive, lineage).to_builtins())
        else:
            show_lineage(terminal, archive, lineage)


def compared_tree(archive: ArchiveReader, lineage: Lineage) -> Tree:
    """Return the tree of a lineage, with pixels compared where both pictures are held."""
    tree = make_tree(lineage)
    found: dict[tuple[Digest, Digest], Difference] = {}
    for before, after in pairs_to_compare(tree)[:_MAX_COMPARED]:
        if archive.store.has(before) and archive.store.has(after):
            try:
                found[before, after] = compare(archive.store.read(before), archive.store.read(after))
            except MakingofError:
                continue  # no picture, or a damaged one: `fsck` says so, a drawing need not
    return with_pixels(tree, found)


def show_lineage(terminal: Terminal, archive: ArchiveReader, lineage: Lineage) -> None:
    """Print a lineage as a tree, in the order things were made."""
    _Drawing(terminal, compared_tree(archive, lineage)).draw()


class _Drawing:
    """One lineage on one screen."""

    def __init__(self, terminal: Terminal, tree: Tree) -> None:
        self.terminal = terminal
        self.tree = tree
        self.names = dict(_names(tree))

    def draw(self) -> None:
        for brief in self.tree.briefs:
            self._act(brief)
        for made in sorted(_makings(self.tree), key=lambda item: item.positions[0]):
            if isinstance(made, Generation):
                self._generation(made)
            else:
                self._edit(made)
        for choice in self.tree.choices:
            self._choice(choice)
        for act in self.tree.acts:
            self._act(act)
        self._foot()

    def _generation(self, made: Generation) -> None:
        names = self._pictures(made.pictures) or self._text("show.no_picture", outcome=made.outcome or "–")
        self._line(
            1,
            "show.generation",
            number=made.number + 1,
            event=f"e{made.positions[0]}",
            pictures=names,
            tool=visible(made.tool or "–"),
            means=self._text(f"package.means_{made.means}"),
            mark=self._mark(withdrawn=made.withdrawn),
        )
        if made.sources:
            self._line(2, "show.used", pictures=self._pictures(made.sources))
        if made.step is None:
            self._asked(made)
            return
        if made.step.prompt is None and made.step.negative is None and not made.step.parameters:
            self._line(2, "show.unchanged", since=made.step.since + 1)
        self._text_change("show.prompt", made.step.prompt)
        self._text_change("show.negative", made.step.negative)
        self._parameter_changes(made.step.parameters)
        for pixels in made.pixels:
            self._pixels(pixels)

    def _asked(self, made: Generation) -> None:
        """The first of a line of generations is told in full; the others by what changed."""
        asked = made.asked
        if asked.hidden:
            self._line(2, "show.hidden")
        for key, text in (("show.prompt_is", asked.prompt), ("show.negative_is", asked.negative)):
            if text is not None and text.effective:
                self._line(2, key, text=_shortened(text.effective))
        if asked.parameters is not None:
            told = [
                f"{name} {_shortened(found.value)}"
                for name in _FIRST_SETTINGS
                if (found := asked.parameters.fields.get(name)) is not None and found.value
            ]
            if told:
                self._line(2, "show.settings", settings=" · ".join(told))

    def _text_change(self, key: str, change: TextChange | None) -> None:
        if change is None:
            return
        if change.words is None:
            self._line(
                2,
                "show.unreadable_change",
                what=self._text(key),
                before=self._text(f"cli.state_{change.before}"),
                after=self._text(f"cli.state_{change.after}"),
            )
            return
        words = change.words
        told = [f"+ {_spelled(item.word)}" for item in words.added]
        told += [f"− {_spelled(item.word)}" for item in words.removed]
        told += [
            f"{visible(item.word.text)} {spell_weight(item.weight_before)} → {spell_weight(item.word.weight)}"
            for item in words.reweighted
        ]
        told += [self._text("show.moved", word=_spelled(item.word)) for item in words.moved]
        if words.respaced:
            told.append(self._text("show.respaced"))
        self._line(2, "show.change", what=self._text(key), change="  ".join(told))

    def _parameter_changes(self, changes: Iterable[ParameterChange]) -> None:
        told = [
            f"{_plain(change.name)} {self._value(change.before)} → {self._value(change.after)}"
            for change in changes
            if change.name not in _UNSETTLED
        ]
        if told:
            self._line(2, "show.change", what=self._text("show.settings_word"), change="  ".join(told))

    def _value(self, parameter: Parameter | None) -> str:
        if parameter is None:
            return self._text("cli.state_absent")
        if parameter.value is None:
            return self._text(f"cli.state_{parameter.state}")
        spelled = _shortened(parameter.value)
        if parameter.state is State.DEFAULT:  # 20 and 20 by default differ: the second was not asked for
            return f"{spelled} {self._text('cli.state_default')}"
        return spelled

    def _edit(self, made: Edit) -> None:
        self._line(
            1,
            "show.edit",
            number=made.number + 1,
            event=f"e{made.positions[0]}",
            pictures=self._pictures(made.pictures),
            sources=self._pictures(made.sources) or "–",
            means=self._text(f"package.means_{made.means}"),
            mark=self._mark(withdrawn=made.withdrawn),
        )
        for text in made.texts:
            self._line(2, "show.said", actor=made.actor or "–", text=_shortened(text))
        for pixels in made.pixels:
            self._pixels(pixels)

    def _pixels(self, pixels: Pixels) -> None:
        difference = pixels.difference
        if not isinstance(difference, Difference):
            return
        if difference.differing is None:
            self._line(
                2, "show.other_size", before=_size(difference.size_before), after=_size(difference.size_after)
            )
        elif difference.box is None:
            self._line(2, "show.same_pixels")
        else:
            box = difference.box
            self._line(
                2,
                "show.pixels",
                share=f"{100 * difference.differing / difference.total:.2f}",
                width=box.right - box.left,
                height=box.bottom - box.top,
                left=box.left,
                top=box.top,
            )

    def _choice(self, choice: ChoiceMade) -> None:
        key = "show.choice_among" if choice.among else "show.choice"
        self._line(
            1,
            key,
            event=f"e{choice.position}",
            actor=choice.actor or "–",
            judged=self._text(f"show.judged_{choice.judgement}"),
            pictures=", ".join(self._name(file) for file in choice.judged) or "–",
            count=len(choice.among),
            means=self._text(f"package.means_{choice.means}"),
            mark=self._mark(withdrawn=choice.withdrawn),
        )
        if choice.reason:
            self._line(2, "show.because", text=_shortened(choice.reason))

    def _act(self, act: OtherAct) -> None:
        self._line(
            1,
            "show.act",
            event=f"e{act.position}",
            kind=self._text(f"package.kind_{act.kind}"),
            title=visible(act.title or ""),
            means=self._text(f"package.means_{act.means}"),
            mark=self._mark(withdrawn=act.withdrawn),
        )
        for text in (*act.texts, *act.where):
            if text:
                self._line(2, "show.said", actor=act.actor or "–", text=_shortened(text))

    def _foot(self) -> None:
        for stream in self.tree.streams:
            if not stream.is_act:
                key = "show.stream_missing" if stream.missing_count else "show.stream_whole"
                self._line(
                    1,
                    key,
                    of=stream.of or "–",
                    seen=stream.seen,
                    last=stream.last,
                    missing=stream.missing_count,
                )
        for found in self.tree.looks:
            self._line(1, "show.second_look", event=f"e{found.position}")
            for line in second_look_lines(found.look):
                self.terminal.line("   " * 2 + self.terminal.text(line))
        if self.tree.sealed or self.tree.erased:
            self._line(1, "show.silent", sealed=self.tree.sealed, erased=self.tree.erased)

    def _pictures(self, pictures: Iterable[TreePicture]) -> str:
        return ", ".join(
            f"{self._name(picture.file)} [{self._text(f'show.judged_{picture.judged}')}]"
            for picture in pictures
        )

    def _name(self, file: Digest) -> str:
        return visible(self.names.get(file) or short(file))

    def _mark(self, *, withdrawn: bool) -> str:
        return " " + self._text("cli.withdrawn_mark") if withdrawn else ""

    def _text(self, key: str, /, **values: object) -> str:
        return self.terminal.text(say(key, **values))

    def _line(self, depth: int, key: str, /, **values: object) -> None:
        self.terminal.line("   " * depth + self._text(key, **values))


def _makings(tree: Tree) -> list[Generation | Edit]:
    return [*tree.generations, *tree.edits]


def _names(tree: Tree) -> Iterator[tuple[Digest, str]]:
    """What a person calls each file part: the name it lay under, else the first digits of its bytes."""
    pictures = [picture for made in _makings(tree) for picture in (*made.pictures, *made.sources)]
    pictures += [picture for act in (*tree.acts, *tree.briefs) for picture in act.pictures]
    by_blob: Mapping[Digest, str] = {
        picture.blob: picture.name for picture in pictures if picture.blob and picture.name
    }
    for picture in (*tree.subjects, *pictures):
        name = picture.name or (by_blob.get(picture.blob) if picture.blob else None)
        yield picture.file, name or short(picture.blob or picture.file)


def _spelled(word: Word) -> str:
    weight = spell_weight(word.weight)
    return visible(word.text) if weight == "1" else f"{visible(word.text)}:{weight}"


def _plain(name: str) -> str:
    return visible(name.removeprefix("tool:"))


def _shortened(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _PROMPT_WIDTH else shown[:_PROMPT_WIDTH] + " …"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
