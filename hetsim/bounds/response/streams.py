"""The proven worst response time of streams, or why none is proven.

What is covered: dispatchers whose order is fixed (by priority, or by arrival alone), preemptive
between launches or not, streams whose arrivals have a least separation. On one unit partitions
take what they take on an idle SoC, because nothing else is ever under way. On several units each is
taken at its worst beside all others (:mod:`~hetsim.bounds.response.pieces`), which needs links that
share max-min fair or by weight. Whatever may break the proof has a reason instead of a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from hetsim.bounds.response.chains import Chain, Step, end_to_end
from hetsim.bounds.response.curves import TICKS, Curve, up
from hetsim.bounds.response.pieces import Company, least, pieces
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.soc.model import SoC
from hetsim.streams.service import Stream


@dataclass(frozen=True)
class Worst:
    """No inference of a stream takes longer than ``seconds``; or nothing is proven: ``why``."""

    seconds: float | None = None
    why: str = ""


UNPROVEN = Worst(why="nobody has asked")


@dataclass(frozen=True)
class WorstCase:
    """Streams on a SoC, each with its program (by the stream's name), and who dispatches them."""

    soc: SoC
    streams: Sequence[Stream]
    programs: Mapping[str, Program]
    dispatcher: Dispatcher
    fidelity: str = "fluid"
    preemption_cost_s: float = 0.0

    @cached_property
    def company(self) -> Company:
        """Who is at work."""
        return Company.of(self.programs.values())

    def worst(self) -> dict[str, Worst]:
        """By the name of the stream."""
        outside = next(self._outside(), None)
        if outside is not None:
            return {stream.name: Worst(why=outside) for stream in self.streams}
        dispatcher = self.dispatcher
        ticks = end_to_end(
            [self._chain(stream) for stream in self.streams],
            preempts=dispatcher.preempts and dispatcher.fixed == "priority",
            switch=up(self.preemption_cost_s),
            in_turn=all(stream.in_flight is None for stream in self.streams),
        )
        return {
            stream.name: self._said(stream, found)
            for stream, found in zip(self.streams, ticks, strict=True)
        }

    def _said(self, stream: Stream, found: int | None) -> Worst:
        if found is not None:
            return Worst(found / TICKS)
        if self._unbounded(stream):
            return Worst(why="nothing bounds how many inferences arrive at once")
        level = self._level(stream)
        rivals = [s.name for s in self.streams if self._level(s) >= level and self._unbounded(s)]
        if rivals:
            return Worst(why=f"nothing bounds how many inferences of {rivals[0]!r} go before")
        return Worst(why="as far as can be proven, more arrives than a unit gets done")

    def _level(self, stream: Stream) -> int:
        return stream.priority if self.dispatcher.fixed == "priority" else 0

    @staticmethod
    def _unbounded(stream: Stream) -> bool:
        """Whether any number may arrive at once, as far as the stream itself can tell."""
        arrivals = stream.arrivals
        caused = [name for name in arrivals.follows(stream.name) if name != stream.name]
        return bool(caused) or arrivals.separation_s(2**20) <= 0.0

    def _chain(self, stream: Stream) -> Chain:
        program = self.programs[stream.name]
        worst = pieces(self.soc, program, self.company, tiles=self.fidelity == "tile")
        best = least(self.soc, program) if len(self.company.units) > 1 else [0] * len(worst)
        unbounded = self._unbounded(stream)
        separation = (lambda _: 0.0) if unbounded else stream.arrivals.separation_s
        steps = (Step(w, b, job.needs)
                 for w, b, job in zip(worst, best, program.jobs, strict=True))  # fmt: skip
        return Chain(Curve(separation), self._level(stream), tuple(steps))

    def _outside(self) -> Iterator[str]:
        """Why the analysis does not apply, if it does not."""
        dispatcher = self.dispatcher
        if dispatcher.fixed is None:
            yield f"worst cases are proven for fixed priorities and FIFO, not for {dispatcher.name}"
        if dispatcher.overhead_s > 0.0:
            yield "decisions queue for a thread of the host, and that wait is not bounded here"
        for stream in self.streams:
            program = self.programs[stream.name]
            if any(launch.touched for job in program.jobs for launch in job.launches):
                yield "what others leave in the system cache is not bounded"
            if any(state.grow_bytes for state in program.states):
                yield f"the state of {stream.name!r} grows, and with it what an inference takes"
        if len(self.company.units) > 1:
            yield from self._outside_of_several()

    def _outside_of_several(self) -> Iterator[str]:
        if self.fidelity == "tile":
            yield "with several units at work the proof is of 'fidelity: fluid'"
        for stream in self.streams:
            if self.programs[stream.name].states:
                yield f"inferences of {stream.name!r} wait for one another's state on several units"
            if stream.in_flight is not None:
                yield f"inferences of {stream.name!r} wait for others in flight on several units"
        pus = [self.soc.pus[i] for i in sorted(self.company.units)]
        for pu in pus:
            if pu.spec.slowdown is not None:
                yield f"what {pu.name} loses to others by its table of slowdowns is not bounded"
        for name in dict.fromkeys(
            name for pu in (*pus, self.soc.host) for way in pu.ways for name in way.crossed
        ):
            link = self.soc.links[name]
            if link.arbitration not in ("max_min_fair", "weighted"):
                yield f"{name} shares by {link.arbitration}, and who waits there may wait long"
            widths = link.bandwidth
            if any(b > a for a, b in pairwise(widths)):
                yield f"{name} carries several transfers better than one"
