"""A window as a linear program over where each of its operators runs.

The partition that holds the cut at the beginning of a window runs alone: whatever partition reads
from it waits for its end, and everything after the cut does, directly or not. So does the one that
holds the cut at the end. Hence in every plan, under every runtime, a window consists of the
rest of the first partition, then partitions of neither cut, then the beginning of the last
partition, or the two are one partition that holds the window whole. An operator's *label* says in
which of them it is, and on which PU. The program's variables are shares of labels; it charges

* the first and the last partition in full, one operator after the other, the last one's call and
  whatever is brought into it;
* on each PU in between: kernels, a call, whatever is brought to it, results that go back;
* along every path in between: kernels, and where the PU changes a call and what is brought.

Under a runtime that forks and joins, partitions in between either run one after the other, so that
the PUs' loads add up, or a fork and two joins come on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hetsim.bounds.accounts import Accounts, back_seconds, summed
from hetsim.bounds.charges import Reads
from hetsim.bounds.floors import Floors
from hetsim.bounds.labels import Labels, Split
from hetsim.bounds.passing import Passing
from hetsim.bounds.relaxation import producers
from hetsim.bounds.rows import Prices, Rows, Solved
from hetsim.bounds.running import Forking, Running
from hetsim.bounds.stages import Stage
from hetsim.cost.profile import INFEASIBLE
from hetsim.numeric import Array
from hetsim.workload.graph import Graph


class Program:
    """The linear program of ``stage``, whose first and last partition are not the same.

    ``together``: partitions in between may run at the same time; ``forking`` is what that costs,
    ``None`` where it costs nothing.
    """

    def __init__(
        self,
        graph: Graph,
        floors: Floors,
        stage: Stage,
        forking: Forking | None,
        together: bool,
    ) -> None:
        reads = {op: producers(graph, op) for op in stage.ops}
        self._rows = rows = Rows()
        self._scale = max(_most(graph, floors, stage, reads), 1e-12)
        self._labels = labels = Labels(floors, stage, rows)
        books = Accounts(graph, floors, stage, labels, rows, self._scale)
        running, passing = Running(books, reads), Passing(books, reads)
        books.ends.update(running.around())
        kernels = {op: running.place(op) for op in stage.ops}
        for op in stage.ops:
            running.closed(op)
            running.cross(op)
        for tensor, source in passing.tensors():
            passing.bring(tensor, source)
            if source is not None:
                passing.hand(tensor, source)
        for (before, op), terms in books.paths.items():
            begin = {} if before is None else {running.end[before]: 1.0}
            rows.at_most(summed(begin, terms, kernels[op], {running.end[op]: -1.0}))
        rows.minimise(books.ends)
        running.between(forking, together)

    @property
    def size(self) -> int:
        """Number of variables."""
        return len(self._rows.goal)

    def decided(self, entry: Mapping[int, int], leave: Mapping[int, int]) -> dict[int, float]:
        """See :meth:`~hetsim.bounds.labels.Labels.decided`."""
        return self._labels.decided(entry, leave)

    def solve(self, fixed: Mapping[int, float]) -> Solved:
        """The program's bound in seconds, with some shares decided."""
        found = self._rows.solve(fixed)
        return replace(found, bound=found.bound * self._scale)

    def proves(self, prices: Prices, fixed: Mapping[int, float]) -> float:
        """The bound in seconds that ``prices`` of another solution prove, without solving."""
        return self._rows.proves(prices, fixed) * self._scale

    def split(self, values: Array) -> Split | None:
        """See :meth:`~hetsim.bounds.labels.Labels.split`."""
        return self._labels.split(values)


def _most(graph: Graph, floors: Floors, stage: Stage, reads: Reads) -> float:
    """Seconds that nothing sensible exceeds: everything on its slowest PU, brought anew."""
    total = 0.0
    wait = max(min(row[p] for row in floors.leave) for p in floors.pus)
    for op in (*stage.before, *stage.ops):
        total += floors.call + _greatest(floors.leave[op]) + wait
    for op in stage.ops:
        total += _greatest(s for row in floors.ops[op] for s in (row.alone, row.least))
        for source, tensors in reads[op].items():
            origins = [None] if source is None else list(floors.pus)
            for t in tensors:
                total += max(floors.toll(t, p, q).alone for p in origins for q in floors.pus)
        total += max(back_seconds(graph, floors, op, p) for p in floors.pus)
        for t in graph.operators[op].outputs:
            total += max(floors.handing(t, p).alone for p in floors.pus)
    return total


def _greatest(seconds: Iterable[float]) -> float:
    return max((s for s in seconds if s < INFEASIBLE), default=0.0)
