"""The CP-SAT model of one window: what no plan can avoid, as a scheduling problem.

One optional interval per (operator, PU) and per (tensor, PU it is brought to); none overlap on a
PU, for a partition's crossings occupy its PU. An operator starts after its inputs; if some are
foreign, after all of them, a call and all their crossings. Beside a PU whose kernels fill the host,
each second of another awake host thread (crossings, polling) stretches both.

Every simulated plan is a solution of no smaller length: durations are floors, rounded down to
ticks, and what is left out only delays (results wait for the end of their partition, a tensor is
brought again for each partition that reads it, bandwidth is shared). Hence its best bound is a
lower bound on the window, and its solution a good guess at the best plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.relaxation import Window, exit_seconds, hand_over_seconds, producers
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import MissingExtraError
from hetsim.schedulers.exact.proof import Budget, Strategy, WindowProof
from hetsim.schedulers.exact.sharing import HostSharing, Item
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from types import ModuleType

TICKS = 10_000_000
"""Ticks that the horizon of a window is divided into: rounding is far below any real gap."""


def load_solver() -> ModuleType:
    """The CP-SAT library.

    Raises:
        MissingExtraError: OR-Tools is not installed.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise MissingExtraError.for_extra("OR-Tools", "exact", "the exact scheduler") from None
    module: ModuleType = cp_model
    return module


class WindowModel:
    """Builds and solves the model of ``window``, with nothing later than ``horizon_s``."""

    def __init__(
        self, graph: Graph, floors: Floors, window: Window, horizon_s: float | None = None
    ) -> None:
        self._cp = load_solver()
        self._graph = graph
        self._floors = floors
        self._window = window
        self._inside = set(window.ops)
        self._reads = {op: producers(graph, op) for op in window.ops}
        self._horizon_s = 2.0 * self._sequential() if horizon_s is None else horizon_s
        self._tick = max(self._horizon_s, 1e-12) / TICKS
        self._horizon = TICKS
        self._model = self._cp.CpModel()
        self._lanes: dict[int, list[Any]] = {p: [] for p in floors.pus}
        self._items: list[Item] = []
        self._both: dict[tuple[int, int, int, int], Any] = {}
        self._build()

    def solve(
        self,
        budget: Budget,
        hint: Mapping[int, int] | None = None,
        strategy: Strategy = "plain",
    ) -> WindowProof:
        """Searches on one thread; repeatable unless the budget's wall-clock time interrupts it."""
        cp = self._cp
        for (op, pu), literal in self._at.items():
            if hint and op in hint:
                self._model.add_hint(literal, hint[op] == pu)
        solver = cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        solver.parameters.linearization_level = 2  # stretching is linear once orders are known
        solver.parameters.optimize_with_lb_tree_search = strategy == "raise"
        solver.parameters.interleave_search = strategy == "vary"
        solver.parameters.max_deterministic_time = max(budget.effort, 1e-3)
        solver.parameters.max_time_in_seconds = max(budget.seconds, 0.01)
        status = solver.solve(self._model)
        spent = solver.deterministic_time
        if status == cp.INFEASIBLE:
            return WindowProof(INFEASIBLE, True, spent)
        bound = max(0.0, solver.best_objective_bound) * self._tick
        if status not in (cp.OPTIMAL, cp.FEASIBLE):
            return WindowProof(bound, False, spent)
        places = {op: pu for (op, pu), x in self._at.items() if solver.boolean_value(x)}
        rank = {op: i for i, op in enumerate(self._window.ops)}
        order = sorted(self._window.ops, key=lambda op: (solver.value(self._start[op]), rank[op]))
        value = solver.objective_value * self._tick
        return WindowProof(bound, status == cp.OPTIMAL, spent, value, places, tuple(order))

    def _sequential(self) -> float:
        """Seconds in which everything can be done one after the other, on any PUs."""
        floors, total = self._floors, 0.0
        for op in self._window.ops:
            rows = [least for least in floors.ops[op] if least.least < INFEASIBLE]
            total += max(
                (row.alone if row.alone < INFEASIBLE else row.least for row in rows), default=0.0
            )
            total += floors.call + max(floors.leave[op])
            for source, tensors in self._reads[op].items():
                total += sum(self._dearest(tensor, source) for tensor in tensors)
            for tensor in self._graph.operators[op].outputs:
                total += max(floors.handing(tensor, p).alone for p in floors.pus)
                if tensor in self._graph.output_set:
                    total += max(floors.toll(tensor, p, None).alone for p in floors.pus)
        return total

    def _dearest(self, tensor: str, source: int | None) -> float:
        floors = self._floors
        sources = [None] if source is None else list(floors.pus)
        return max(floors.toll(tensor, p, q).alone for p in sources for q in floors.pus)

    def _ticks(self, seconds: float) -> int:
        return int(seconds / self._tick)

    def _build(self) -> None:
        model, window, graph = self._model, self._window, self._graph
        self._at: dict[tuple[int, int], Any] = {}
        self._close_by: dict[int, list[tuple[Any, int]]] = {}
        self._start: dict[int, Any] = {}
        self._end: dict[int, Any] = {}
        self._ready: dict[int, Any] = {}
        for op in window.ops:
            for name, store in (("s", self._start), ("e", self._end), ("h", self._ready)):
                store[op] = model.new_int_var(0, self._horizon, f"{name}{op}")
            able = [p for p in self._floors.feasible(op) if window.fixed.get(op, p) == p]
            for pu in able:
                self._at[op, pu] = model.new_bool_var(f"x{op},{pu}")
            model.add_exactly_one([self._at[op, pu] for pu in able])
        for op in window.ops:
            self._place(op)
        for op in window.ops:
            self._inputs(op)
        for op in window.ops:
            self._bring(op)
        for lane in self._lanes.values():
            model.add_no_overlap(lane)
        self._close()
        HostSharing(model, graph, self._floors, window, self._items, self._horizon).add(
            self._makespan, self._ticks
        )
        model.minimize(self._makespan)

    def _is_at(self, op: int, pu: int) -> Any:
        """A literal, or a truth value where it is decided."""
        if op in self._inside:
            return self._at.get((op, pu), False)
        return self._window.known[op] == pu

    def _end_of(self, op: int) -> Any:
        return self._end[op] if op in self._inside else 0

    def _parting(self, op: int, tensors: Sequence[str], pu: int) -> int:
        """Ticks from the end of ``op`` until others may read ``tensors``; known: from the cut."""
        if op not in self._inside and op != self._window.cut:
            return 0  # it may have been over before the window, its partition and all
        return self._ticks(hand_over_seconds(self._floors, op, tensors, pu))

    def _and(self, op: int, pu: int, source: int, at: int) -> Any:
        """Whether ``op`` is on ``pu`` and its producer ``source`` on ``at``."""
        first, second = self._is_at(op, pu), self._is_at(source, at)
        if first is False or second is False:
            return False
        if second is True:
            return first
        key = (op, pu, source, at)
        if key not in self._both:
            literal = self._both[key] = self._model.new_bool_var(f"z{key}")
            self._model.add_implication(literal, first)
            self._model.add_implication(literal, second)
            self._model.add_bool_or([first.negated(), second.negated(), literal])
        return self._both[key]

    def _place(self, op: int) -> None:
        """The intervals of an operator, with a duration for each neighbourhood."""
        model = self._model
        for pu in self._floors.pus:
            at = self._at.get((op, pu))
            if at is None:
                continue
            least = self._floors.ops[op][pu]
            base = model.new_int_var(0, self._horizon, f"b{op},{pu}")
            size = model.new_int_var(0, self._horizon, f"d{op},{pu}")
            model.add(size >= base).only_enforce_if(at)
            variants = []
            if least.alone < INFEASIBLE:
                variants.append((model.new_bool_var(f"v{op},{pu}"), least.alone))
            for neighbour, seconds in least.beside:
                near = self._is_at(neighbour, pu)
                if near is False:
                    continue
                literal = model.new_bool_var(f"v{op},{pu},{neighbour}")
                if near is not True:
                    model.add_implication(literal, near)
                variants.append((literal, seconds))
                self._close_by.setdefault(op, []).append((literal, neighbour))
            for literal, seconds in variants:
                model.add(base >= self._ticks(seconds)).only_enforce_if(literal)
            model.add_bool_or([at.negated(), *(literal for literal, _ in variants)])
            start, end = self._start[op], self._end[op]
            self._lanes[pu].append(
                model.new_optional_interval_var(start, size, end, at, f"i{op},{pu}")
            )
            self._items.append(Item(pu, at, start, end, (size, base), least, op))

    def _inputs(self, op: int) -> None:
        """Starts after inputs; foreign ones all arrive first, then are brought in one by one."""
        model, floors, window = self._model, self._floors, self._window
        start, ready = self._start[op], self._ready[op]
        fixed: list[Any] = []
        tolls: list[Any] = []
        foreign: list[Any] = []
        for pu in floors.pus:
            at = self._at.get((op, pu))
            if at is None:
                continue
            for source, tensors in self._reads[op].items():
                counted = window.counts(source, pu)
                if source is None:
                    toll = sum(self._ticks(floors.toll(t, None, pu).alone) for t in tensors)
                    if counted:
                        fixed.append(toll * at)
                    continue
                for p in floors.pus:
                    both = self._and(op, pu, source, p)
                    if both is False:
                        continue
                    if p == pu or not counted:
                        model.add(start >= self._end_of(source)).only_enforce_if(both)
                        continue
                    arrival = self._end_of(source) + self._parting(source, tensors, p)
                    model.add(ready >= arrival).only_enforce_if(both)
                    toll = sum(self._ticks(floors.toll(t, p, pu).alone) for t in tensors)
                    tolls.append(toll * both)
                    foreign.append(both)
        call = self._ticks(floors.call)
        entry = sum(fixed) + sum(tolls)
        model.add(start >= sum(fixed) + (call if window.cut is None else 0))
        for literal in foreign:
            model.add(start >= ready + call + entry).only_enforce_if(literal)
            for close_by, neighbour in self._close_by.get(op, ()):
                # Both are in one partition, and what it reads is brought in before it begins.
                if neighbour in self._inside:
                    begin = self._start[neighbour]
                    model.add(begin >= ready + call + entry).only_enforce_if([literal, close_by])
                else:
                    model.add_bool_or([literal.negated(), close_by.negated()])

    def _bring(self, op: int) -> None:
        """Crossings of ``op``'s results, and of older tensors it is the first to read."""
        inside = self._inside
        readers = self._graph.consumers
        for tensor in self._graph.operators[op].outputs:
            self._cross(tensor, op, [r for r in readers[tensor] if r in inside])
        for source, tensors in self._reads[op].items():
            if source in inside:
                continue
            for tensor in tensors:
                local = [r for r in readers[tensor] if r in inside]
                if local and min(local) == op:
                    self._cross(tensor, source, local)

    def _cross(self, tensor: str, source: int | None, local: list[int]) -> None:
        model, floors = self._model, self._floors
        call = self._ticks(floors.call)
        for pu in floors.pus:
            needed: list[tuple[int | None, Any]] = []
            for reader in local:
                if source is None:
                    if (reader, pu) in self._at:
                        needed.append((None, self._at[reader, pu]))
                    continue
                for p in floors.pus:
                    both = False if p == pu else self._and(reader, pu, source, p)
                    if both is not False:
                        needed.append((p, both))
            tolls = {p: floors.toll(tensor, p, pu) for p, _ in needed}
            needed = [(p, literal) for p, literal in needed if tolls[p].alone > 0.0]
            if not needed or not self._window.counts(source, pu):
                continue
            name = f"{tensor}>{pu}"
            present = model.new_bool_var(f"c{name}")
            start = model.new_int_var(0, self._horizon, f"cs{name}")
            end = model.new_int_var(0, self._horizon, f"ce{name}")
            size = model.new_int_var(0, self._horizon, f"cd{name}")
            base = model.new_int_var(0, self._horizon, f"cb{name}")
            model.add(size >= base).only_enforce_if(present)
            for made_on, literal in needed:
                model.add_implication(literal, present)
                model.add(base >= self._ticks(tolls[made_on].alone)).only_enforce_if(literal)
                if source is not None and made_on is not None:
                    left = self._end_of(source) + self._parting(source, (tensor,), made_on)
                    arrival = left + call
                    model.add(start >= arrival).only_enforce_if(literal)
            if self._window.cut is None:
                model.add(start >= call)
            for reader in local:
                if (reader, pu) in self._at:
                    both_there = [present, self._at[reader, pu]]
                    model.add(self._start[reader] >= end).only_enforce_if(both_there)
                    if len(self._graph.consumers[tensor]) == 1:
                        model.add(start >= self._ready[reader] + call).only_enforce_if(both_there)
            self._lanes[pu].append(
                model.new_optional_interval_var(start, size, end, present, f"ci{name}")
            )
            least = min((toll for toll in tolls.values() if toll.alone > 0.0), key=_weight)
            self._items.append(
                Item(pu, present, start, end, (size, base), least, None, source, tuple(local))
            )

    def _close(self) -> None:
        model, window = self._model, self._window
        self._makespan = model.new_int_var(0, self._horizon, "makespan")
        for op in window.ops:
            model.add(self._makespan >= self._end[op])
            if window.last:
                for pu in self._floors.pus:
                    if (op, pu) in self._at:
                        back = self._ticks(exit_seconds(self._graph, self._floors, op, pu))
                        model.add(self._makespan >= self._end[op] + back).only_enforce_if(
                            self._at[op, pu]
                        )


def _weight(least: Least) -> float:
    return least.alone
