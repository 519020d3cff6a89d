"""The learned model in the chain of cost models: knows what it was trained on, no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hetsim.cost.base import CostModel
from hetsim.cost.learned.regressor import LearnedModel
from hetsim.cost.learned.workloads import operator_rows
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, Work
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, LoopNest, Operator

_Key = tuple[str, str, LoopNest, str, int]


class LearnedCostModel(CostModel):
    """Corrects the arithmetic time of kernels whose first operator a learned model knows.

    ``models`` are by PU (its cluster's name in the SoC file); ``analytical`` tells bytes, fused
    followers and what is asked of the memory system. What was measured is the time of the whole
    operator alone, so the kernel's one phase is given that time less the dispatch: contention can
    only lengthen it. Residency that differs from what was measured (data already on chip) is left
    to the analytical model.

    ``refused`` counts why kernels were passed on, for the report.
    """

    def __init__(self, models: Mapping[str, LearnedModel], analytical: CostModel) -> None:
        self.models = dict(models)
        self.analytical = analytical
        self.refused: Counter[str] = Counter()
        self._cache: dict[_Key, tuple[float, float] | str] = {}

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        """The corrected work; ``None`` for PUs, kinds and sizes that were not trained on."""
        model = self.models.get(pu.cluster)
        if model is None or kernel.nest is None or kernel.nest.weights_are_activations:
            return None
        if residency != NOWHERE:
            return None
        answer = self._seconds(model, kernel.head, pu)
        if isinstance(answer, str):
            self.refused[answer] += 1
            return None
        base = self.analytical.work(graph, kernel, pu, residency)
        if base is None:
            return None
        seconds, spread = answer
        head = kernel if len(kernel.operators) == 1 else Kernel.of(graph, (kernel.head,))
        alone = base if head is kernel else self.analytical.work(graph, head, pu, residency)
        followers = base.compute_s - alone.compute_s if alone is not None else 0.0
        compute = max(seconds - base.dispatch_s, 0.0) + max(followers, 0.0)
        phase = Phase("run", compute, base.load_bytes, base.store_bytes, compute)
        return Work(
            base.dispatch_s,
            compute,
            (phase,),
            weight_bytes=base.weight_bytes,
            source="learned",
            note=f"spread {spread:.0%}",
        )

    def _seconds(self, model: LearnedModel, op: Operator, pu: PU) -> tuple[float, float] | str:
        """Seconds and relative spread of ``op`` alone, or why it is out of range; cached."""
        assert op.nest is not None
        rows = operator_rows([op], pu)
        key = (
            pu.cluster, op.kind, op.nest, str(rows["dtype"][0]), int(rows["pad_top"][0]),
        )  # fmt: skip
        if key not in self._cache:
            prediction = model.predict(rows)
            if prediction.valid[0]:
                self._cache[key] = float(prediction.value[0]), float(prediction.spread[0])
            else:
                self._cache[key] = f"{pu.cluster}: {model.why_invalid(rows, 0)}"
        return self._cache[key]
