"""Simulated makespans of many similar plans: only what has changed is simulated again.

A plan falls apart where every later partition waits for every earlier one: there the SoC stands
still for a moment, nothing is in flight, and what follows does not care how long it took to get
there. Such *segments* are simulated alone and remembered, and a plan's makespan is their sum
(equal to simulating the whole but for rounding in the last bits). Under the barrier runtime every
parallel group is a segment; on a SoC with ``fifo`` links, where ties matter, the whole plan is.

Before a new segment is simulated it gets a lower bound: its partitions' times on an idle SoC, in
the same order on the same PUs. Sharing links and cores only makes each of them longer, and with
fixed orders nothing can start earlier because something else ends later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from itertools import count
from typing import NamedTuple

from hetsim.errors import HetsimError, PlanError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Job, Program
from hetsim.schedulers.search.judge import NEVER, Draft, Piece, Verdict
from hetsim.sim.runtimes.registry import DEFAULT, find_runtime
from hetsim.sim.simulate import execute

_SAFE = 1.0 + 1e-9
"""Bounds are sums of floats, so they count only when they are this much above."""

_REMEMBERED = 50_000
"""Partitions, segments or plans that are remembered before forgetting all, to bound memory."""


class _Work(NamedTuple):
    """A partition given where its inputs come from: its job without needs, its time alone.

    ``job`` is ``None`` when the PU cannot run it.
    """

    number: int
    pu: int
    job: Job | None
    alone_s: float


Needs = Sequence[Sequence[int]]
"""For each piece, the pieces whose results it reads, perhaps several times."""


class IncrementalJudge:
    """Judges drafts of plans for one network on one SoC.

    ``execution`` and ``fidelity`` are those of the simulation. Counters say what it cost: drafts
    ``judged``, of them answered from the plan cache (``known``) or by a bound (``pruned``), and
    ``segments`` simulated.
    """

    def __init__(
        self, lowering: Lowering, *, execution: str = DEFAULT, fidelity: str = "fluid"
    ) -> None:
        self.lowering = lowering
        self.execution = execution
        self._runtime = find_runtime(execution)
        # What a cache holds is remembered from one segment to the next.
        cached = any(pu.cached for pu in lowering.soc.pus)
        self._separable = self._runtime.separable and not cached
        self.fidelity = fidelity
        self.judged = self.known = self.pruned = self.segments = 0
        graph = lowering.graph
        self._units = range(len(lowering.soc.pus))
        self._producers = [[graph.producer.get(t, -1) for t in op.inputs] for op in graph.operators]
        self._pieces: dict[Piece, tuple[tuple[int, ...], dict[tuple[int, ...], _Work]]] = {}
        self._segments: dict[Hashable, float] = {}
        self._plans: dict[Hashable, float] = {}
        self._numbers = count()
        # On such a link it matters who comes first at the same instant, and that the plan says.
        self._fifo = any(link.arbitration == "fifo" for link in lowering.soc.links.values())

    def makespan(self, draft: Draft) -> float:
        """Seconds; infinite when a PU cannot run what it is given."""
        return self.judge(draft).seconds

    def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
        """The makespan, or a lower bound that is above ``worthless_above``."""
        self.judged += 1
        if max(len(self._pieces), len(self._segments), len(self._plans)) >= _REMEMBERED:
            self._pieces.clear()
            self._segments.clear()
            self._plans.clear()
        found = self._lowered(draft)
        if found is None:
            return Verdict(NEVER)
        work, needs = found
        if not self._separable:
            return self._undivided(work, needs, draft.groups)
        spans = self._spans(needs, draft.groups)
        keys = [work[span[0]].number if len(span) == 1 else self._key(work, span) for span in spans]
        whole = tuple(keys)
        known = self._plans.get(whole)
        if known is not None:
            self.known += 1
            return Verdict(known)
        times = [self._segments.get(key) for key in keys]
        if worthless_above < NEVER and self.fidelity == "fluid":
            floors = [
                self._floor(work, needs, span) if time is None else time
                for time, span in zip(times, spans, strict=True)
            ]
            total = sum(floors)
            for i, time in enumerate(times):
                if total > worthless_above * _SAFE:
                    self.pruned += 1
                    return Verdict(total, exact=False)
                if time is None:
                    times[i] = time = self._simulate(keys[i], work, needs, spans[i])
                    total += time - floors[i]
        seconds = 0.0
        for i, time in enumerate(times):
            seconds += self._simulate(keys[i], work, needs, spans[i]) if time is None else time
        self._plans[whole] = seconds
        return Verdict(seconds)

    def _undivided(
        self, work: Sequence[_Work], needs: Needs, groups: Sequence[tuple[int, ...]]
    ) -> Verdict:
        """All of a plan at once, where nothing is known about how it falls apart."""
        spans = tuple(tuple(span) for span in _barrier_spans(len(needs), groups))
        key = (tuple(piece.number for piece in work), spans)
        seconds = self._plans.get(key)
        if seconds is None:
            seconds = self._execute(_jobs(work, needs, range(len(work))), spans)
            self._plans[key] = seconds
        else:
            self.known += 1
        return Verdict(seconds)

    def _spans(self, needs: Needs, groups: Sequence[tuple[int, ...]]) -> Sequence[Sequence[int]]:
        """The segments of a plan, as positions of pieces."""
        if self._runtime.forks:
            return _barrier_spans(len(needs), groups)
        return [range(len(needs))] if self._fifo else _segments(needs)

    def _lowered(self, draft: Draft) -> tuple[list[_Work], Needs] | None:
        """Each piece's work, and the pieces it waits for."""
        home = [-1] * len(self._producers)
        pieces = draft.pieces
        for i, piece in enumerate(pieces):
            for op in piece[1]:
                home[op] = i
        pus = [piece[0] for piece in pieces]
        work: list[_Work] = []
        needs: list[list[int]] = []
        for piece in pieces:
            known = self._pieces.get(piece)
            if known is None:
                known = self._pieces[piece] = (self._outside(piece[1]), {})
            reads, by_homes = known
            sources = [home[op] for op in reads]
            homes = tuple([pus[i] for i in sources])
            found = by_homes.get(homes)
            if found is None:
                found = by_homes[homes] = self._prepare(piece, reads, homes)
            if found.job is None:
                return None
            work.append(found)
            needs.append(sources)
        return work, needs

    def _outside(self, ops: tuple[int, ...]) -> tuple[int, ...]:
        """Operators elsewhere whose results ``ops`` read, ascending."""
        members = set(ops)
        found = {p for op in ops for p in self._producers[op] if p >= 0 and p not in members}
        return tuple(sorted(found))

    def _prepare(self, piece: Piece, reads: tuple[int, ...], homes: tuple[int, ...]) -> _Work:
        lowering = self.lowering
        made_on = {
            tensor: pu
            for op, pu in zip(reads, homes, strict=True)
            for tensor in lowering.graph.operators[op].outputs
        }
        number = next(self._numbers)
        try:
            job = lowering.job(
                f"p{number}", lowering.soc.pus[piece.pu], piece.operators, made_on, fused=piece.fuse
            )
        except HetsimError:
            return _Work(number, piece.pu, None, NEVER)
        return _Work(number, piece.pu, job, self._execute((job,), ((0,),)))

    def _key(self, work: Sequence[_Work], span: Sequence[int]) -> Hashable:
        """The same for segments of several pieces that must take the same time: each PU's order."""
        if self._runtime.forks or self._fifo:
            return tuple([work[i].number for i in span])
        queues: list[list[int]] = [[] for _ in self._units]
        for i in span:
            queues[work[i].pu].append(work[i].number)
        return tuple(map(tuple, queues))

    def _floor(self, work: Sequence[_Work], needs: Needs, span: Sequence[int]) -> float:
        """A lower bound on a segment's time."""
        first = span[0]
        if self._runtime.forks:
            return max(work[i].alone_s for i in span)
        free = [0.0] * len(self._units)
        ends: list[float] = []
        for i in span:
            pu = work[i].pu
            start = free[pu]
            for need in needs[i]:
                if need >= first and ends[need - first] > start:
                    start = ends[need - first]
            free[pu] = end = start + work[i].alone_s
            ends.append(end)
        return max(free)

    def _simulate(
        self,
        key: Hashable,
        work: Sequence[_Work],
        needs: Needs,
        span: Sequence[int],
    ) -> float:
        if len(span) == 1:
            seconds = work[span[0]].alone_s
        else:
            barrier = self._runtime.forks
            # Equal keys must give equal bits, whatever the order between PUs was.
            order = span if barrier or self._fifo else _by_pu(span, work, needs)
            jobs = _jobs(work, needs, order)
            each = tuple(range(len(jobs)))
            seconds = self._execute(jobs, (each,) if barrier else tuple((i,) for i in each))
            self.segments += 1
        self._segments[key] = seconds
        return seconds

    def _execute(self, jobs: tuple[Job, ...], groups: tuple[tuple[int, ...], ...]) -> float:
        program = Program(self.lowering.graph.name, jobs, groups)
        try:
            trace = execute(
                self.lowering.soc, program, execution=self.execution, fidelity=self.fidelity,
                trace=False,
            )  # fmt: skip
        except PlanError:
            return NEVER
        return trace.makespan_s


def _jobs(work: Sequence[_Work], needs: Needs, order: Sequence[int]) -> tuple[Job, ...]:
    """The jobs of pieces in ``order``, which wait for one another and for nothing else."""
    position = {i: n for n, i in enumerate(order)}
    return tuple(
        Job(
            job.name,
            job.pu,
            tuple(sorted({position[n] for n in needs[i] if n in position})),
            job.entry,
            job.launches,
            job.exit,
        )
        for i in order
        if (job := work[i].job) is not None
    )


def _by_pu(span: Sequence[int], work: Sequence[_Work], needs: Needs) -> list[int]:
    """The topological order that takes from the first PU as long as it can, then the next."""
    queues: dict[int, deque[int]] = {}
    for i in span:
        queues.setdefault(work[i].pu, deque()).append(i)
    pus = sorted(queues)
    waiting = set(span)
    order: list[int] = []
    while waiting:
        for pu in pus:
            queue = queues[pu]
            while queue and waiting.isdisjoint(needs[queue[0]]):
                waiting.remove(queue[0])
                order.append(queue.popleft())
    return order


def _segments(needs: Needs) -> list[range]:
    """Cuts a topological order of partitions where all later ones wait for all earlier ones."""
    leads: list[int] = []
    for before in needs:
        bits = 0
        for i in before:
            bits |= leads[i] | 1 << i
        leads.append(bits)
    # The first partition that partition i does not wait for, before or after it.
    starts = []
    least = len(leads)
    for i in reversed(range(len(leads))):
        bits = leads[i]
        found = (~bits & (bits + 1)).bit_length() - 1
        if found < least:
            least = found
        if least >= i:
            starts.append(i)
    starts.reverse()
    return [range(a, b) for a, b in zip(starts, [*starts[1:], len(leads)], strict=True)]


def _barrier_spans(count: int, groups: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """Positions of pieces, parallel groups together."""
    spans: list[Sequence[int]] = []
    following = 0
    for group in groups:
        spans += [(i,) for i in range(following, group[0])]
        spans.append(group)
        following = group[-1] + 1
    return [*spans, *((i,) for i in range(following, count))]
