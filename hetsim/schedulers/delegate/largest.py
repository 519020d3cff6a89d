"""The rule by which LiteRT's delegates choose: the N largest partitions, sizes being node counts.

Source: LiteRT (TensorFlow Lite), ``GraphPartitionHelper::GetFirstNLargestPartitions`` in
``tensorflow/lite/delegates/utils.h``. Defaults there: one partition for the GPU delegate
(``max_delegated_partitions``), three for NNAPI (``max_number_delegated_partitions``), all of at
least two nodes for Core ML (``min_nodes_per_partition``). Several delegates are applied one after
the other; ONNX Runtime asks its execution providers in the order in which they are listed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.build import make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.delegate.subsets import Delegating
from hetsim.schedulers.estimate import predict


@dataclass(frozen=True)
class DelegateLargest(Scheduler):
    """The largest subsets that an accelerator takes go there, all else stays on the host's CPU.

    ``partitions``: how many, all when ``None``; ``min_nodes``: operators in the smallest of them.
    ``accelerator``: the only one to delegate to. When it is ``None``, each in turn is offered what
    is left, NPUs first, as where several delegates are applied or execution providers listed.
    Nothing runs in parallel. Operators are counted as hetsim counts them: without views, and
    without what is folded.
    """

    name: ClassVar[str] = "delegate_largest"
    optimises: ClassVar[str] = "operators delegated in few calls"
    ignores: ClassVar[str] = "times, transfers, parallelism"
    complexity: ClassVar[str] = "O((V + E) log V)"
    source: ClassVar[str] = "LiteRT, GraphPartitionHelper"

    partitions: int | None = 1
    min_nodes: int = 1
    accelerator: str | None = None

    def __post_init__(self) -> None:
        """Raises :class:`SchedulerError` for a parameter outside its range."""
        for field in ("partitions", "min_nodes"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise SchedulerError(f"{self.name}: {field} must be at least 1, not {value}")

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` for an unknown accelerator, or what no PU can run."""
        ground = Delegating(problem, self.accelerator)
        placed = ground.largest(ground.accelerators, self.partitions, self.min_nodes)
        blocks = ground.blocks(placed)
        return make_plan(
            problem.graph,
            problem.soc,
            blocks,
            scheduler=self.name,
            parameters=asdict(self),
            predicted_s=predict(problem, blocks),
        )
