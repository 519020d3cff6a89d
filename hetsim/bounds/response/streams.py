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
from hetsim.bounds.response.curves import ENDLESS, TICKS, Curve, up
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


ROUNDS = 20
"""After half of so many, what still spreads further is taken to do so without end."""

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
        steps = {stream.name: self._steps(stream) for stream in self.streams}
        causes = {name for s in self.streams for name in s.arrivals.follows(s.name)}
        spread = dict.fromkeys(causes, 0)
        # What one stream causes comes as spread as its ends, which may depend on what it causes.
        for rounds in range(ROUNDS):
            chains = {
                s.name: Chain(self._curve(s, spread), self._level(s), steps[s.name])
                for s in self.streams
            }
            found = dict(zip(chains, self._ticks(list(chains.values())), strict=True))
            following = {name: _spread(chains[name], found[name]) for name in causes}
            if following == spread:
                break
            grown = {name for name in causes if following[name] > spread[name]}
            spread = (
                following if rounds < ROUNDS // 2 else following | dict.fromkeys(grown, ENDLESS)
            )
        else:
            return {
                s.name: Worst(why="what streams cause spreads without end") for s in self.streams
            }
        return {s.name: self._said(s, found[s.name], chains) for s in self.streams}

    def _ticks(self, chains: Sequence[Chain]) -> list[int | None]:
        return end_to_end(
            chains,
            preempts=self.dispatcher.preempts and self.dispatcher.fixed == "priority",
            switch=up(self.preemption_cost_s),
            in_turn=all(stream.in_flight is None for stream in self.streams),
        )

    def _curve(self, stream: Stream, spread: Mapping[str, int], depth: int = 0) -> Curve:
        """How a stream arrives, where ends of those it follows are spread over so many ticks."""
        arrivals = stream.arrivals
        causes = [name for name in arrivals.follows(stream.name) if name != stream.name]
        if not causes:
            return Curve(arrivals.separation_s)
        each = arrivals.most_per_end
        if len(causes) > 1 or each is None or depth > len(self.streams):
            return Curve(lambda _: 0.0)
        (cause,) = (s for s in self.streams if s.name == causes[0])
        curve = self._curve(cause, spread, depth + 1)
        return Curve(lambda further: curve.span(further // each) / TICKS, spread[cause.name])

    def _said(self, stream: Stream, found: int | None, chains: Mapping[str, Chain]) -> Worst:
        if found is not None:
            return Worst(found / TICKS)
        unbounded = [n for n, chain in chains.items() if chain.curve.unbounded]
        if stream.name in unbounded:
            return Worst(why="nothing bounds how many inferences arrive at once")
        rivals = [name for name in unbounded if chains[name].priority >= self._level(stream)]
        if rivals:
            return Worst(why=f"nothing bounds how many inferences of {rivals[0]!r} go before")
        return Worst(why="as far as can be proven, more arrives than a unit gets done")

    def _level(self, stream: Stream) -> int:
        return stream.priority if self.dispatcher.fixed == "priority" else 0

    def _steps(self, stream: Stream) -> tuple[Step, ...]:
        program = self.programs[stream.name]
        worst = pieces(self.soc, program, self.company, tiles=self.fidelity == "tile")
        if len(self.company.units) > 1:
            best = least(self.soc, program)
        else:
            best = [part.total - len(part.ticks) for part in worst]
        return tuple(
            Step(w, b, job.needs) for w, b, job in zip(worst, best, program.jobs, strict=True)
        )

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
                yield "what others leave in a cache or a memory for weights is not bounded"
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


def _spread(chain: Chain, worst: int | None) -> int:
    """Ticks between the earliest and the latest moment at which an inference can end."""
    return ENDLESS if worst is None else max(0, worst - chain.soonest)
