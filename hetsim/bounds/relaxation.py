"""Earliest ends along dependencies, each operator free to choose where its inputs were made.

A partition brings all its foreign inputs in one after the other, once all of them are there. So
before an operator on PU q lie: the last of its foreign inputs, a partition call, the crossings of
all of them. What this relaxes: PUs are never busy with something else, and each reader of a tensor
may assume another PU to have made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from hetsim.bounds.floors import Floors
from hetsim.cost.profile import INFEASIBLE
from hetsim.workload.graph import Graph

JOINT_OPTIONS = 64
"""Up to how many combinations of producers' PUs are looked at for a join."""


@dataclass(frozen=True)
class Window:
    """A stretch of the network between two cuts, and where what it reads from before was made.

    ``ops`` in a topological order. ``known`` gives the PU of each earlier operator whose results
    are still read. ``cut`` is the operator whose end opens the window (``None``: the inference's
    start). ``fixed`` gives the PUs of operators of the window that are decided. ``last``: the
    window closes when everything has ended and all outputs are back, else with its last operator.
    """

    ops: tuple[int, ...]
    known: Mapping[int, int] = field(default_factory=dict)
    cut: int | None = None
    fixed: Mapping[int, int] = field(default_factory=dict)
    last: bool = True

    def counts(self, producer: int | None, pu: int) -> bool:
        """Whether bringing ``producer``'s result to ``pu`` must happen inside the window.

        ``None`` is the application. If it was made before the cut, the partition that reads it may
        have begun before the window, but only if the cut operator itself is part of it.
        """
        if self.cut is None or producer == self.cut:
            return True
        if producer is not None and producer not in self.known:
            return True
        return self.known[self.cut] != pu


@dataclass(frozen=True, slots=True)
class Input:
    """What an operator reads from one producer, and when, by where that runs (seconds).

    ``here``: its end on the same PU, where it takes ``own``. ``elsewhere``: (end, crossings).
    """

    producer: int
    own: float
    here: float
    elsewhere: tuple[tuple[float, float], ...]


def producers(graph: Graph, op: int) -> dict[int | None, list[str]]:
    """The tensors ``op`` reads, by the operator that makes them; ``None`` is the application."""
    found: dict[int | None, list[str]] = {}
    for tensor in dict.fromkeys(graph.operators[op].inputs):
        found.setdefault(graph.producer.get(tensor), []).append(tensor)
    return found


def exit_seconds(graph: Graph, floors: Floors, op: int, pu: int) -> float:
    """From the end of ``op`` on ``pu`` until the network's outputs that it makes are back."""
    outputs = [t for t in graph.operators[op].outputs if t in graph.output_set]
    return floors.leave[op][pu] + sum(floors.toll(t, pu, None).alone for t in outputs)


def hand_over_seconds(floors: Floors, op: int, tensors: Iterable[str], pu: int) -> float:
    """From the end of ``op`` on ``pu``, which makes ``tensors``, until others may read them."""
    return floors.leave[op][pu] + sum(floors.handing(tensor, pu).alone for tensor in tensors)


def closings(graph: Graph, floors: Floors, window: Window) -> list[float]:
    """Least seconds that ``window`` stays open, by the PU of the last operator.

    Infinite where its ``fixed`` PUs cannot run it.
    """
    done: dict[int, list[float]] = {
        op: [0.0 if p == pu else INFEASIBLE for p in floors.pus] for op, pu in window.known.items()
    }
    close = 0.0
    for op in window.ops:
        ends = []
        for pu in floors.pus:
            wanted = window.fixed.get(op, pu) == pu
            ends.append(_end(graph, floors, window, op, pu, done) if wanted else INFEASIBLE)
        done[op] = ends
        if window.last:
            ends = [e + exit_seconds(graph, floors, op, p) for p, e in enumerate(ends)]
        close = max(close, min(ends))
    return [max(close, end) for end in ends]


def _end(
    graph: Graph,
    floors: Floors,
    window: Window,
    op: int,
    pu: int,
    done: Mapping[int, Sequence[float]],
) -> float:
    least = floors.ops[op][pu]
    if least.least == INFEASIBLE:
        return INFEASIBLE
    fixed = 0.0
    inputs: list[Input] = []
    for producer, tensors in producers(graph, op).items():
        counted = window.counts(producer, pu)
        if producer is None:
            if counted:
                fixed += sum(floors.toll(t, None, pu).alone for t in tensors)
            continue
        if not counted:  # it may be there since before the window, and so may its partition
            inputs.append(Input(producer, 0.0, 0.0, ()))
            continue
        if producer in window.known and producer != window.cut:
            # Nothing from before the cut is in the partition of what runs elsewhere after it.
            made = window.known[producer]
            toll = sum(floors.toll(t, made, pu).alone for t in tensors)
            inputs.append(Input(producer, 0.0, INFEASIBLE, ((0.0, toll),)))
            continue
        elsewhere = tuple(
            (
                done[producer][p] + hand_over_seconds(floors, producer, tensors, p),
                sum(floors.toll(t, p, pu).alone for t in tensors),
            )
            for p in floors.pus
            if p != pu and done[producer][p] < INFEASIBLE
        )
        own = floors.ops[producer][pu].least
        inputs.append(Input(producer, own, done[producer][pu], elsewhere))
    call = floors.call
    begin = fixed + (call if window.cut is None else 0.0)
    end = least.alone
    if end < INFEASIBLE:
        end += join(inputs, begin, call, fixed)
    for neighbour, seconds in least.beside:
        if window.known.get(neighbour, pu) != pu:
            continue
        near = [
            Input(i.producer, i.own, i.here, ()) if i.producer == neighbour else i for i in inputs
        ]
        end = min(end, seconds + join(near, begin, call, fixed))
    return end


def join(inputs: Sequence[Input], begin: float, call: float, fixed: float) -> float:
    """The earliest start of an operator that needs all ``inputs``, wherever they were made.

    Not before ``begin``; ``fixed`` seconds of other crossings precede it if any input is foreign.
    The PU cannot run the producer of an input while it waits for the crossings of the others: the
    producer ran before, or it is part of the same partition and runs after them.
    """
    if not inputs:
        return begin
    if prod(1 + len(i.elsewhere) for i in inputs) > JOINT_OPTIONS:
        return max(begin, _join_separately(inputs, call, fixed))
    best = INFEASIBLE
    for choice in product(*(range(-1, len(i.elsewhere)) for i in inputs)):
        near = arrival = crossings = 0.0
        foreign = False
        for where, item in zip(choice, inputs, strict=True):
            if where < 0:
                near = max(near, item.here)
            else:
                foreign = True
                arrival = max(arrival, item.elsewhere[where][0])
                crossings += item.elsewhere[where][1]
        if not foreign:
            best = min(best, near)
            continue
        toll = call + fixed + crossings
        start = arrival + toll
        for where, item in zip(choice, inputs, strict=True):
            if where < 0:
                start = max(start, min(item.here + toll, arrival + toll + item.own))
        best = min(best, max(near, start))
    return max(begin, best)


def _join_separately(inputs: Sequence[Input], call: float, fixed: float) -> float:
    """A weaker answer for joins of very many inputs, in linear time."""
    each = max(
        min(i.here, min((a + c for a, c in i.elsewhere), default=INFEASIBLE) + call) for i in inputs
    )
    must = [i.elsewhere for i in inputs if i.here == INFEASIBLE]
    if not must or not all(must):
        return each
    arrival = max(min(a for a, _ in options) for options in must)
    return max(each, arrival + call + fixed + sum(min(c for _, c in options) for options in must))
