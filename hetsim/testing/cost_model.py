"""What every cost model owes: pure answers, floors that hold, and reasons for what cannot run."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import ClassVar

from hetsim.cost.chain import CostModel
from hetsim.cost.fusion import is_fusable, match
from hetsim.cost.measured.fit import alone_s
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import HetsimError, InfeasibleError
from hetsim.soc.loader import load_soc
from hetsim.soc.model import PU, SoC
from hetsim.testing.kit import Kit
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph
from hetsim.workload.zoo import load_model

Question = tuple[tuple[int, ...], PU, Residency]
"""A kernel (positions in the graph), a unit, and what is on chip."""

ROUNDING = 1 + 1e-9


class CostModelKit(Kit):
    """Checks one cost model: override :meth:`make`.

    Questions are all kernels of some networks on all units of ``socs``: single operators and the
    chains that the unit fuses, from memory and from on-chip memory. ``complete`` is for a model
    that answers all of them and never says ``None``.
    """

    socs: ClassVar[Sequence[str]] = ("edge-mcu", "zcu102-vta")
    models: ClassVar[Sequence[str]] = ("squeezenet",)
    complete: ClassVar[bool] = False

    @abstractmethod
    def make(self, soc: SoC, graphs: Sequence[Graph]) -> CostModel:
        """A fresh model for the units of ``soc``, which will be asked about ``graphs``."""

    def graphs(self) -> list[Graph]:
        """The networks that it is asked about."""
        return [random_graph(5, 12), *map(load_model, self.models)]

    def soc_files(self) -> list[SoC]:
        """The SoCs whose units it is asked about."""
        return [load_soc(name) for name in self.socs]

    def test_it_knows_something(self) -> None:
        known = 0
        for soc, graph, model in self._asked():
            known += sum(work is not None for _, work in _answers(model, graph, soc))
        assert known, "None or infeasible is the answer to every question"

    def test_answers_are_sound(self) -> None:
        for soc, graph, model in self._asked():
            for question, work in _answers(model, graph, soc):
                if work is not None:
                    _check_sound(work, _told(graph, question))

    def test_answers_depend_on_the_question_alone(self) -> None:
        for soc, graph, model in self._asked():
            first = _answers(model, graph, soc)
            again = _answers(self.make(soc, [graph]), graph, soc, backwards=True)
            assert again == first, f"{graph.name} on {soc.name}: asked backwards, it says otherwise"
            ops = [(op, pu) for op in range(len(graph)) for pu in soc.pus]
            floors = [model.floor(graph, *each) for each in ops]
            same = floors == [model.floor(graph, *each) for each in ops]
            assert same, f"{graph.name} on {soc.name}: asked twice, the floors differ"
            transfers = [model.transfer(graph, *each) for each in ops]
            same = transfers == [model.transfer(graph, *each) for each in ops]
            assert same, f"{graph.name} on {soc.name}: asked twice, the transfers differ"
            sound = all(t is None or 0 <= t < math.inf for t in transfers)
            assert sound, f"{graph.name} on {soc.name}: a transfer is negative or never ends"

    def test_nothing_runs_faster_than_the_floors_of_its_operators(self) -> None:
        for soc, graph, model in self._asked():
            floors = {pu.index: [model.floor(graph, op, pu) for op in range(len(graph))]
                      for pu in soc.pus}  # fmt: skip
            for (ops, pu, residency), work in _answers(model, graph, soc):
                known = [f for op in ops if (f := floors[pu.index][op]) is not None]
                assert all(f >= 0 for f in known), "a floor is negative or no number"
                if work is None or len(known) < len(ops):
                    continue
                takes = alone_s(work, pu.home)
                assert sum(known) <= takes * ROUNDING, (
                    f"{_told(graph, (ops, pu, residency))} takes {takes} s,"
                    f" less than its floor of {sum(known)} s"
                )

    def test_what_can_never_run_has_an_infinite_floor_or_none_and_a_reason(self) -> None:
        for soc, graph, model in self._asked():
            for ops, pu, residency in _questions(graph, soc):
                kernel = _kernel(graph, ops)
                try:
                    work = model.work(graph, kernel, pu, residency)
                except InfeasibleError as error:
                    told = f"{_told(graph, (ops, pu, residency))}: no reason"
                    assert error.message.strip(), told  # noqa: PT017
                    continue
                told = _told(graph, (ops, pu, residency))
                assert work is not None or not self.complete, f"{told}: not known"
                if work is not None:
                    floors = [model.floor(graph, op, pu) for op in ops]
                    assert math.inf not in floors, f"{told} runs, and has an infinite floor"

    def test_what_is_on_chip_moves_no_more_bytes(self) -> None:
        for soc, graph, model in self._asked():
            known = dict[tuple[tuple[int, ...], int], Work]()
            for (ops, pu, residency), work in _answers(model, graph, soc):
                if work is None:
                    continue
                plain = known.setdefault((ops, pu.index), work)  # NOWHERE is asked first
                more = work.load_bytes + work.store_bytes - plain.load_bytes - plain.store_bytes
                assert more <= 0, (
                    f"{_told(graph, (ops, pu, residency))}: {more} bytes more than from memory"
                )

    def _asked(self) -> Iterator[tuple[SoC, Graph, CostModel]]:
        for soc in self.soc_files():
            for graph in self.graphs():
                yield soc, graph, self.make(soc, [graph])


def _questions(graph: Graph, soc: SoC) -> Iterator[Question]:
    for pu in soc.pus:
        patterns = pu.spec.fuse_patterns
        for op in range(len(graph)):
            fused = match(graph, op, patterns)
            kernels: list[tuple[int, ...]] = [(op,)]
            if len(fused) > 1 and is_fusable(graph, fused, patterns):
                kernels.append(tuple(fused))
            for ops in kernels:
                yield ops, pu, NOWHERE
                if pu.spec.managed_memory:
                    kernel = _kernel(graph, ops)
                    yield ops, pu, Residency(inputs=frozenset(kernel.inputs))
                    yield ops, pu, Residency(outputs=frozenset(kernel.outputs))


def _answers(
    model: CostModel, graph: Graph, soc: SoC, backwards: bool = False
) -> list[tuple[Question, Work | None]]:
    """All answers in the order of the questions; what cannot run has the answer ``None``."""
    questions = list(_questions(graph, soc))
    found: dict[int, Work | None] = {}
    for i in reversed(range(len(questions))) if backwards else range(len(questions)):
        ops, pu, residency = questions[i]
        try:
            found[i] = model.work(graph, _kernel(graph, ops), pu, residency)
        except InfeasibleError:
            found[i] = None
        except HetsimError as error:
            raise AssertionError(f"{graph.name} on {pu.name}: {error}") from error
    return [(questions[i], found[i]) for i in range(len(questions))]


def _check_sound(work: Work, told: str) -> None:
    numbers = [work.dispatch_s, work.compute_s, work.weight_bytes, work.on_chip_bytes]
    for phase in work.phases:
        numbers += [phase.seconds, phase.load_bytes, phase.store_bytes, phase.compute_s]
    for tile in work.tiles:
        numbers += [tile.count, tile.load_bytes, tile.compute_s, tile.store_bytes]
    assert all(0 <= n < math.inf for n in numbers), f"{told}: negative or infinite in {work}"
    assert work.phases, f"{told}: no phase, and what has none takes no time at all"
    assert work.source, f"{told}: it does not say who knew the cost"
    if work.tiles:
        moved = sum(tile.count * (tile.load_bytes + tile.store_bytes) for tile in work.tiles)
        assert moved == work.load_bytes + work.store_bytes, f"{told}: tiles move other bytes"


def _kernel(graph: Graph, ops: tuple[int, ...]) -> Kernel:
    return Kernel.of(graph, tuple(graph.operators[op] for op in ops))


def _told(graph: Graph, question: Question) -> str:
    ops, pu, residency = question
    kept = sorted(chain(residency.inputs, residency.outputs))
    where = f" with {', '.join(kept)} on chip" if kept else ""
    return f"{_kernel(graph, ops).name} of {graph.name} on {pu.name}{where}"
