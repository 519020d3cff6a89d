"""The results of a scenario: what reports and notebooks read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from hetsim.errors import MissingExtraError
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
    """A link over one run: bytes carried, share of bytes/time capacity, seconds lost to sharing."""

    bytes: int
    utilization: float
    contention_s: float


@dataclass(frozen=True)
class OperatorRow:
    """One kernel launch as it ran: a line of ``operators.csv``."""

    model: str
    scheduler: str
    partition: str
    pu: str
    operators: str
    kinds: str
    macs: int
    load_bytes: int
    store_bytes: int
    start_s: float
    end_s: float
    alone_s: float
    cost_source: str


@dataclass(frozen=True)
class Bound:
    """A proven lower bound on the makespan: seconds and the argument behind it."""

    seconds: float
    argument: str


@dataclass(frozen=True)
class Run:
    """One network planned by one scheduler and simulated.

    ``error`` is set, and everything measured is ``None``, when the scheduler or the plan failed.
    ``attribution`` splits the makespan along the critical path and ``pu_attribution`` for each PU
    (seconds, see :mod:`hetsim.analysis.attribution`). ``contention_free_s`` is the makespan of the
    same plan when no transfer disturbs another. ``planning_s`` is the wall-clock time the scheduler
    took (not part of any comparison of results: it is not deterministic). ``energy_j`` is ``None``
    when the SoC states no power.
    """

    model: str
    scheduler: str
    graph: Graph = field(repr=False)
    plan: Plan | None = field(default=None, repr=False)
    trace: Trace | None = field(default=None, repr=False)
    makespan_s: float | None = None
    predicted_s: float | None = None
    bounds: tuple[Bound, ...] = ()
    pus: Mapping[str, PUMetrics] = field(default_factory=dict)
    links: Mapping[str, LinkMetrics] = field(default_factory=dict)
    operators: tuple[OperatorRow, ...] = field(default=(), repr=False)
    energy_j: float | None = None
    attribution: Mapping[str, float] = field(default_factory=dict)
    pu_attribution: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    contention_free_s: float | None = None
    planning_s: float = 0.0
    error: str | None = None

    @property
    def lower_bound_s(self) -> float | None:
        """The best of the proven bounds, seconds."""
        return max((b.seconds for b in self.bounds), default=None)

    @property
    def contention_cost_s(self) -> float | None:
        """What contention on links cost: the makespan less the contention-free one, seconds."""
        if self.makespan_s is None or self.contention_free_s is None:
            return None
        return self.makespan_s - self.contention_free_s

    @property
    def gap(self) -> float | None:
        """How far above the bound the makespan is, as a share of the bound."""
        bound = self.lower_bound_s
        if self.makespan_s is None or not bound:
            return None
        return self.makespan_s / bound - 1.0

    def to_dataframe(self) -> pandas.DataFrame:
        """One row per kernel launch: the fields of :class:`OperatorRow`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        columns = list(OperatorRow.__dataclass_fields__)
        return _frame([asdict(row) for row in self.operators], columns)

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from hetsim.report.page.notebook import run_html

        return run_html(self)

    def _row(self) -> dict[str, object]:
        """The run as one row of :meth:`Result.to_dataframe`."""
        return {
            "model": self.model,
            "scheduler": self.scheduler,
            "makespan_s": self.makespan_s,
            "predicted_s": self.predicted_s,
            "lower_bound_s": self.lower_bound_s,
            "gap": self.gap,
            "energy_j": self.energy_j,
            "planning_s": self.planning_s,
            "operators": len(self.graph),
            "partitions": None if self.plan is None else len(self.plan.partitions),
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

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from hetsim.report.page.notebook import result_html

        return result_html(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row per network and scheduler; seconds and shares; failed rows have ``error``.

        ``utilization.NAME`` is there for every PU and link, ``contention_s.NAME`` for every link.
        :meth:`Run.to_dataframe` has one run's kernel launches.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        rows = [run._row() for run in self.runs]
        names = dict.fromkeys(name for row in rows for name in row)
        return _frame(rows, [*(name for name in names if name != "error"), "error"])


def _frame(rows: list[dict[str, object]], columns: list[str]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError:
        raise MissingExtraError.for_extra("pandas", "data", "a data frame") from None
    return pandas.DataFrame(rows, columns=columns)
