"""Where the noise came from: a seed, if a generator is still as its seed left it.

A generator tells the seed it was made with also after it was used, and then that seed
makes another picture. So its state is compared with that of a fresh one.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from makingof.digest import Digest
from makingof.part import Parameter, escaped
from makingof.reading import State
from makingof.spool.carried import Json

MAX_GENERATORS = 256


@dataclass(frozen=True, slots=True)
class Noise:
    """The state of one generator before the call."""

    device: str
    seed: str  # what it says it was made with
    state: Digest
    is_fresh: bool

    def facts(self) -> Json:
        """Return what is known, as facts of a report."""
        return {
            "device": self.device,
            "initial_seed": self.seed,
            "state": self.state,
            "used_before": not self.is_fresh,
        }


@dataclass(frozen=True, slots=True)
class Noises:
    """The generators of one call; none given means the one the whole program shares."""

    given: tuple[Noise, ...]
    shared: tuple[Noise, ...] = ()
    problem: str = ""  # why a state could not be read

    @property
    def seeds(self) -> list[str] | None:
        """The seeds, if each generator was as its seed left it."""
        if not self.given or not all(noise.is_fresh for noise in self.given):
            return None
        return [noise.seed for noise in self.given]

    def fields(self) -> dict[str, Parameter]:
        """Return the parameter `seed`; absent where no seed can be answered for, and why in its source."""
        if self.problem:
            return {"seed": Parameter(None, State.UNREADABLE, self.problem)}
        if (seeds := self.seeds) is not None:
            several = ", one for each picture" if len(seeds) > 1 else ""
            return {"seed": Parameter(", ".join(seeds), State.PRESENT, f"argument generator{several}")}
        why = "argument generator, used before this call" if self.given else "unseeded: no generator given"
        return {"seed": Parameter(None, State.ABSENT, why)}

    def facts(self) -> Json:
        """Return the states, as facts of a report."""
        if self.problem:
            return {"generator_unreadable": self.problem}
        if self.given:
            return {"generators": [noise.facts() for noise in self.given]}
        return {"unseeded": True, "shared_generators": [noise.facts() for noise in self.shared]}


def find_noise(given: Any) -> Noises:
    """Look at the generators a call is given, else at those the whole program shares; uses none of them."""
    generators = list(given) if isinstance(given, (list, tuple)) else [given]
    try:
        known = [generator for generator in generators[:MAX_GENERATORS] if hasattr(generator, "get_state")]
        if known:
            return Noises(tuple(_look_at(generator) for generator in known))
        return Noises((), tuple(_look_at(generator) for generator in _shared_generators()))
    except Exception as err:  # noqa: BLE001 - a kind of generator we do not know; that it is not known is recorded
        return Noises((), problem=escaped(f"{type(err).__name__}: {err}"))


def _look_at(generator: Any) -> Noise:
    seed, state = generator.initial_seed(), generator.get_state()
    fresh = type(generator)(device=generator.device)
    fresh.manual_seed(seed)
    data, unused = (bytes(found.numpy().tobytes()) for found in (state, fresh.get_state()))
    return Noise(str(generator.device), str(seed), Digest.of(data), data == unused)


def _shared_generators() -> Iterator[Any]:
    """Yield the generators that noise comes from where none is given: which of them, the device decides."""
    torch = sys.modules.get("torch")
    if torch is not None:
        yield torch.default_generator
        if torch.cuda.is_initialized():
            yield torch.cuda.default_generators[torch.cuda.current_device()]
