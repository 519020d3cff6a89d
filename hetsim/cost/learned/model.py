"""The learned model in the chain of cost models: knows what it was trained on, no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from hetsim.cost.chain import CostModel
from hetsim.cost.learned.workloads import Key, operator_rows, row_key
from hetsim.cost.measured.fit import alone_s, fit, moving_s
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import ConfigError, InfeasibleError, Location
from hetsim.learn.physical.given import FittedGiven
from hetsim.learn.regressor import LearnedModel
from hetsim.soc.model import PU, Way
from hetsim.workload.graph import Graph, Operator

REASONS_SHOWN = 3
LEARNED = "learned"


class LearnedCostModel(CostModel):
    """Knows kernels whose first operator is within the range a learned model was trained on.

    ``models`` are by PU (its cluster's name in the SoC file); ``analytical`` tells bytes, and what
    a fused tail adds. The predicted time is that of the operator alone, so the analytical
    demand is bent until it takes that long, but never less than dispatch and bytes need: what
    was predicted holds on an idle SoC, and contention can only lengthen it.

    Where tensors stay in managed memory, the analytical arithmetic is multiplied by what the
    prediction multiplies the kernel's time by when nothing stays. ``refused`` counts, by reason,
    the distinct operators that were passed on for being out of range, ``within`` those that were
    not.

    A model learned on top of given predictions (:mod:`hetsim.learn.physical.given`) gets the
    analytical model's.
    """

    def __init__(self, models: Mapping[str, LearnedModel], analytical: CostModel) -> None:
        self.models = dict(models)
        self.analytical = analytical
        self.refused: Counter[str] = Counter()
        self.within = 0
        self._cache: dict[tuple[str, Key], tuple[float, float] | str | None] = {}

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        answer = self._answer(graph, kernel.head, pu)
        if not isinstance(answer, tuple):
            return None
        base = self.analytical.work(graph, kernel, pu, NOWHERE)
        if base is None:
            return None
        seconds, spread = answer
        path = pu.home
        if len(kernel.operators) > 1:
            head = self.analytical.work(graph, Kernel.of(graph, (kernel.head,)), pu, NOWHERE)
            if head is not None:
                seconds += max(0.0, alone_s(base, path) - alone_s(head, path))
        seconds = max(seconds, _least_s(base, path))
        alone = fit(base, seconds, path, source=LEARNED, note=f"spread {spread:.0%}")
        if residency == NOWHERE or not pu.spec.managed_memory:
            return alone
        resident = self.analytical.work(graph, kernel, pu, residency)
        assert resident is not None
        ratio = seconds / alone_s(base, path)
        bent = _multiplied(resident, ratio, self._arithmetic(graph, kernel, pu), path, alone.note)
        # Keeping a tensor on chip never costs time.
        return bent if alone_s(bent, path) <= seconds else alone

    def _arithmetic(self, graph: Graph, kernel: Kernel, pu: PU) -> float:
        """Seconds of arithmetic that bounds count on, whatever was learned."""
        floors = [self.analytical.floor(graph, graph.index[op.name], pu) for op in kernel.operators]
        known = sum(seconds for seconds in floors if seconds is not None)
        return max(0.0, known - pu.spec.dispatch)

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        operator = graph.operators[op]
        answer = self._answer(graph, operator, pu)
        if not isinstance(answer, tuple):
            return None
        least = self.analytical.floor(graph, op, pu)
        if least is None:
            return None
        tail = any(operator.kind in chain[1:] for chain in pu.spec.fuse_patterns)
        return min(answer[0], least) if tail or pu.spec.managed_memory else answer[0]

    def notes(self) -> list[str]:
        """How many operators were out of range, and the commonest reasons."""
        count = sum(self.refused.values())
        if not count:
            return []
        reasons = sorted(self.refused.items(), key=lambda item: (-item[1], item[0]))
        said = "; ".join(f"{why} ({times})" for why, times in reasons[:REASONS_SHOWN])
        more = f"; {len(reasons) - REASONS_SHOWN} more" if len(reasons) > REASONS_SHOWN else ""
        return [
            f"{count} of {count + self.within} distinct operators asked of the learned model were"
            f" out of its range and left to the analytical one: {said}{more}"
        ]

    def _answer(self, graph: Graph, op: Operator, pu: PU) -> tuple[float, float] | str | None:
        """Seconds and relative spread of ``op`` alone; why it is out of range; or nothing."""
        model = self.models.get(pu.cluster)
        if model is None or op.nest is None or op.nest.weights_are_activations:
            return None
        key = pu.cluster, row_key(op, pu)
        if key not in self._cache:
            answer = self._cache[key] = self._predict(model, graph, op, pu)
            if isinstance(answer, str):
                self.refused[answer] += 1
            elif answer is not None:
                self.within += 1
        return self._cache[key]

    def _predict(
        self, model: LearnedModel, graph: Graph, op: Operator, pu: PU
    ) -> tuple[float, float] | str | None:
        rows = operator_rows([op], pu)
        if isinstance(model.physical, FittedGiven):
            try:
                work = self.analytical.work(graph, Kernel.of(graph, (op,)), pu, NOWHERE)
            except InfeasibleError:
                return None
            least = self.analytical.floor(graph, graph.index[op.name], pu)
            if work is None or least is None:
                return None
            fluid = alone_s(work, pu.home)
            rows = operator_rows([op], pu, physical=[fluid], floor=[least])
        try:
            prediction = model.predict(rows)
        except (LookupError, ValueError) as error:  # it was trained on something else than kernels
            raise ConfigError(
                f"the learned model cannot tell a time of {op.kind}: {error}",
                where=Location(model.file),
                hint="train it again with: hetsim calibrate --learned",
            ) from None
        if prediction.valid[0]:
            return float(prediction.value[0]), float(prediction.spread[0])
        return f"{pu.cluster}: {model.why_invalid(rows, 0)}"


def _multiplied(work: Work, ratio: float, least: float, path: Way, note: str) -> Work:
    """``work`` with its arithmetic times ``ratio``, but not below ``least`` seconds in all."""
    if work.compute_s:
        ratio = max(ratio, least / work.compute_s)
    phases = tuple(
        replace(
            phase,
            seconds=max(phase.seconds * ratio, moving_s(phase, path)),
            compute_s=phase.compute_s * ratio,
        )
        if phase.compute_s
        else phase
        for phase in work.phases
    )
    compute = sum(phase.compute_s for phase in phases)
    return replace(
        work, compute_s=compute, phases=phases, tiles=(), clock_hz=0.0, source=LEARNED, note=note
    )


def _least_s(work: Work, path: Way) -> float:
    """Dispatch and transfers of ``work`` on an idle path: what no prediction may undercut."""
    total = work.dispatch_s
    for phase in work.phases:
        moved = moving_s(phase, path)
        total += moved if phase.compute_s else max(phase.seconds, moved)
        total += path.latency if phase.bytes else 0.0
    # Rounding must not make the fit think that caches served a byte.
    return total * (1.0 + 1e-9)
