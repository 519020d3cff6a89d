"""The results of a scenario: what reports and notebooks read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.limits import Limit
from hetsim.analysis.metrics.base import Evaluation, Measured, Metrics
from hetsim.analysis.metrics.registry import measured, told
from hetsim.analysis.notebook import frame, html
from hetsim.analysis.ranges.range import UNKNOWN, Range, faster
from hetsim.analysis.residents import Resident
from hetsim.bounds.bound import Bound
from hetsim.plan.model import Plan
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class PUMetrics:
    """A processing unit over one run: seconds busy, and the share of the makespan."""

    busy_s: float
    utilization: float


@dataclass(frozen=True)
class LinkMetrics:
    """A link over one run: bytes carried, share of bytes/time capacity, seconds lost to sharing.

    ``classes`` are its bytes by class of tensor (:data:`hetsim.analysis.traffic.CLASSES`).
    """

    bytes: int
    utilization: float
    contention_s: float
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Run(Measured):
    """One network planned by one scheduler and simulated.

    ``error`` is set, and nothing is measured, when the scheduler or the plan failed. ``metrics``
    are SI values by column (:mod:`hetsim.analysis.metrics`); what they were read from is in
    ``evaluation``, unless the run comes from a file or another process. ``attribution`` splits the
    makespan along the critical path and ``pu_attribution`` for each PU (seconds, see
    :mod:`hetsim.analysis.attribution`). ``residents`` is what lay in memory over time,
    ``energy_apart`` the joules that are no kernel's, ``limits`` what could be gained on each unit,
    ``range`` what the makespan may really be.
    ``planning_s`` is the wall-clock time the scheduler took (not part of any comparison of results:
    it is not deterministic).
    """

    model: str
    scheduler: str
    graph: Graph = field(repr=False)
    plan: Plan | None = field(default=None, repr=False)
    trace: Trace | None = field(default=None, repr=False)
    metrics: Metrics = field(default_factory=dict)
    bounds: tuple[Bound, ...] = field(default=(), repr=False)
    pus: Mapping[str, PUMetrics] = field(default_factory=dict, repr=False)
    links: Mapping[str, LinkMetrics] = field(default_factory=dict, repr=False)
    operators: tuple[OperatorRow, ...] = field(default=(), repr=False)
    attribution: Mapping[str, float] = field(default_factory=dict, repr=False)
    pu_attribution: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    residents: tuple[Resident, ...] = field(default=(), repr=False)
    energy_apart: Mapping[str, float] = field(default_factory=dict, repr=False)
    limits: tuple[Limit, ...] = field(default=(), repr=False)
    range: Range = field(default=UNKNOWN, repr=False)
    planning_s: float = field(default=0.0, repr=False)
    error: str | None = None
    evaluation: Evaluation | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, object]:
        """What goes to another process: the evaluation is several times as large as all else."""
        return {**self.__dict__, "evaluation": None}

    def with_bounds(self, bounds: tuple[Bound, ...]) -> Run:
        """The run beside other proofs, with its metrics read again.

        Raises:
            ValueError: it was read from a file, or failed.
        """
        if bounds == self.bounds:
            return self
        if self.evaluation is None:
            raise ValueError("only a run that was just evaluated can be measured again")
        evaluation = replace(self.evaluation, bounds=bounds)
        return replace(self, bounds=bounds, evaluation=evaluation, metrics=measured(evaluation))

    @property
    def contention_cost_s(self) -> float | None:
        """What contention on links cost: the makespan less the contention-free one, seconds.

        Below zero it is no cost but an anomaly: :mod:`hetsim.analysis.contention`.
        """
        free = self.metrics.get("contention_free_s")
        return None if self.makespan_s is None or free is None else self.makespan_s - free

    def faster_than(self, other: Run, *, shared: bool = True) -> float | None:
        """The probability that this plan is really the faster one (``shared``: see :func:`faster`).

        ``None`` where one of them failed, or nothing was calibrated.
        """
        if self.makespan_s is None or other.makespan_s is None:
            return None
        return faster(self.range, self.makespan_s, other.range, other.makespan_s, shared=shared)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row per kernel launch: the fields of :class:`OperatorRow`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        columns = list(OperatorRow.__dataclass_fields__)
        return frame([asdict(row) for row in self.operators], columns)

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        return html(self)

    def _row(self) -> dict[str, object]:
        """The run as one row of :meth:`Result.to_dataframe`."""
        chosen = [m for m in told("programs", self.metrics) if not m.of_the_soc]

        def values(*, sizes: bool) -> dict[str, object]:
            own = (m.column for m in chosen if (m.stands == "sizes") == sizes)
            return {name: self.metrics.get(name) for name in own}

        return {
            "model": self.model,
            "scheduler": self.scheduler,
            **values(sizes=False),
            "planning_s": self.planning_s,
            "operators": len(self.graph),
            **values(sizes=True),
            **{f"utilization.{name}": pu.utilization for name, pu in self.pus.items()},
            **{f"utilization.{name}": link.utilization for name, link in self.links.items()},
            **{f"contention_s.{name}": link.contention_s for name, link in self.links.items()},
            "error": self.error,
        }


@dataclass(frozen=True)
class Result:
    """Everything one scenario produced. ``reference`` holds published figures to print beside."""

    scenario: str
    soc: SoC = field(repr=False)
    seed: int
    execution: str
    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()
    reference: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        rows = [
            f"  {run.model} / {run.scheduler}: {run.error or f'{run.makespan_s:.6g} s'}"
            for run in self.runs
        ]
        return "\n".join(
            [f"Result of {self.scenario} on {self.soc.name}, {self.execution}:", *rows]
        )

    @property
    def failed(self) -> tuple[Run, ...]:
        """The runs that ended in an error."""
        return tuple(run for run in self.runs if run.error is not None)

    def find(self, model: str, scheduler: str) -> Run | None:
        """The run of that network and scheduler."""
        for run in self.runs:
            if run.model == model and run.scheduler == scheduler:
                return run
        return None

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        return html(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row per network and scheduler; seconds and shares; failed rows have ``error``.

        ``utilization.NAME`` is there for every PU and link, ``contention_s.NAME`` for every link.
        :meth:`Run.to_dataframe` has one run's kernel launches.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        rows = [run._row() for run in self.runs]
        names = dict.fromkeys(name for row in rows for name in row)
        return frame(rows, [*(name for name in names if name != "error"), "error"])
