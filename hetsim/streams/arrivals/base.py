"""What an arrival process is: when the inferences of a stream arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from typing import Self

import numpy as np

from hetsim.errors import Location
from hetsim.soc.describe import described
from hetsim.soc.fields import Spec


class Arrivals(Spec):
    """The arrivals of a stream, as its ``arrivals`` describes them.

    A process is one file with a subclass that has ``kind: Literal["its_name"]``, and one line in
    :mod:`hetsim.streams.arrivals.registry` or an entry point of the group ``hetsim.arrivals``.
    Times are seconds. Whatever is random comes from the generator that is handed over, which
    belongs to the stream alone.
    """

    kind: str

    def times(self, random: np.random.Generator) -> Iterator[float]:
        """What arrives whatever happens, from the start of the stream on; never decreasing.

        It may be endless, and is asked for one arrival after the other.
        """
        return iter(())

    def release(self, k: int, arrival: float) -> float:
        """When the k-th of :meth:`times`, which came at ``arrival``, was due (k from zero)."""
        return arrival

    def ready(self, directory: Path, where: Location) -> Self:
        """The same with every file read; paths are relative to ``directory``.

        Raises:
            ConfigError: at ``where``, or in the file.
        """
        return self

    @property
    def files(self) -> tuple[Path, ...]:
        """What :meth:`ready` has read."""
        return ()

    def follows(self, own: str) -> tuple[str, ...]:
        """The names of streams whose ends cause arrivals; ``own`` is that of this one."""
        return ()

    def caused(
        self, finish: float, random: np.random.Generator, *, done: bool = True
    ) -> Iterable[float]:
        """What arrives because an inference that it :meth:`follows` has ended at ``finish``.

        It was given up where it is not ``done``.
        """
        return ()

    @property
    def caused_per_end(self) -> float:
        """How many :meth:`caused` returns on average."""
        return 1.0

    @property
    def told(self) -> str:
        """For people: its kind and what was said of it, ``periodic, period 33.3 ms``."""
        said = {name: value for name, value in described(self, 4).items() if name != "kind"}
        return ", ".join([self.kind, *(f"{name} {value}" for name, value in said.items())])

    @property
    def most_per_end(self) -> int | None:
        """How many :meth:`caused` returns at most, all equally long after the end; or not known."""
        return None

    @property
    def rate(self) -> float | None:
        """Arrivals per second in the long run; ``None`` where others decide."""
        return None

    @property
    def ends(self) -> bool:
        """Whether it comes to an end by itself, or with the streams that it follows."""
        return False

    def separation_s(self, count: int) -> float:
        """The least time that ``count`` + 1 successive arrivals can span; what theory is fed."""
        return 0.0 if self.rate is not None else inf
