"""The contract of a cost model, and the chain that asks several in turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from hetsim.cost.reach import Reach
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph


class CostModel(ABC):
    """Knows what kernels ask of PUs.

    :meth:`work` is called once per kernel, PU class and residency (answers are cached by the
    caller), so it may be slow. It must be a pure function of its arguments.

    ``caches`` tells that this model may let caches serve bytes which therefore never cross the
    memory path, so that no bound may count on them.
    """

    caches: bool = False

    @abstractmethod
    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        """The demand of ``kernel`` on ``pu``; ``None`` when this model does not know.

        Raises:
            InfeasibleError: the PU can never run it (a tile that does not fit, say), with reason.
        """

    @abstractmethod
    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        """Seconds that operator ``op`` adds at the very least, whatever plan it is part of.

        Fusion, residency, tiling and idle links may make it cheaper than :meth:`work` says;
        nothing may make it cheaper than this, not even a kernel that another model of a chain has
        to answer for. Infinite when ``pu`` can never run it, ``None`` when this model does not
        know.
        """

    def quickest(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency, reach: Reach
    ) -> float | None:
        """Seconds that a kernel which this model answers for takes at the very least.

        As :meth:`hetsim.cost.pu.PUModel.quickest`, which says more than the floors of the kernel's
        operators where memory is managed; ``None`` when only those are known.

        Raises:
            InfeasibleError: the PU can never run it, with reason.
        """
        return None

    def transfer(self, graph: Graph, op: int, pu: PU) -> float | None:
        """Seconds measured of copying the inputs of operator ``op``; ``None`` when nobody did.

        It comes from the measurements of ``pu``, apart from the time of the operator itself
        (PartitionTuner's T(n): Yu et al., ETRI Journal 45(2), 2023).
        """
        return None

    def notes(self) -> list[str]:
        """What a report should say about the answers given so far; usually nothing."""
        return []


class CostChain(CostModel):
    """Asks its models in order and takes the first answer: measured, learned, analytical."""

    def __init__(self, models: Sequence[CostModel]) -> None:
        self.models = tuple(models)
        self.caches = any(model.caches for model in self.models)

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        for model in self.models:
            answer = model.work(graph, kernel, pu, residency)
            if answer is not None:
                return answer
        raise InfeasibleError(f"no cost model knows {'+'.join(kernel.kinds)} on {pu.name}")

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        for model in self.models:
            seconds = model.floor(graph, op, pu)
            if seconds is not None:
                return seconds
        return None

    def quickest(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency, reach: Reach
    ) -> float | None:
        for model in self.models:
            if model.work(graph, kernel, pu, residency) is not None:
                return model.quickest(graph, kernel, pu, residency, reach)
        return None

    def transfer(self, graph: Graph, op: int, pu: PU) -> float | None:
        for model in self.models:
            seconds = model.transfer(graph, op, pu)
            if seconds is not None:
                return seconds
        return None

    def notes(self) -> list[str]:
        return [note for model in self.models for note in model.notes()]
