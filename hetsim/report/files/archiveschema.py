"""What ``runs.json.gz`` may hold: rows as columns, and what stands around them.

:mod:`hetsim.report.files.archive` writes it. Reading checks every value's type; the rows come out
as the dataclasses and named tuples that they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, get_origin, get_type_hints

from pydantic import BaseModel, Field, GetCoreSchemaHandler, create_model
from pydantic_core import core_schema

from hetsim.analysis.attribution import PARTS
from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.limits import CAUSES, Limit
from hetsim.analysis.ranges.range import Range
from hetsim.analysis.residents import KINDS, Resident
from hetsim.analysis.result import LinkMetrics, PUMetrics
from hetsim.analysis.traffic import CLASSES
from hetsim.bounds.bound import Bound
from hetsim.plan.model import Partition, Proof
from hetsim.records import Record
from hetsim.sim.trace import Activity, Hit, LinkUsage, RateSample, Span, TaskRow
from hetsim.workload.graph import LoopNest, Operator, Tensor
from hetsim.workload.rewrite import Rewrite

Part = Literal[(*PARTS, "idle")]  # type: ignore[valid-type]
"""Where time went; a PU may also be idle."""

Class = Literal[CLASSES]  # type: ignore[valid-type]
"""Of bytes on a link."""

Kind = Literal[KINDS]  # type: ignore[valid-type]
"""Of what lies in memory."""

Cause = Literal[CAUSES]  # type: ignore[valid-type]
"""What a unit's time goes into."""

Number = Annotated[int | float, Field(ge=-1e18, le=1e18)]  # whole ones stay whole
"""What is larger is no time, rate or share of any run, and overflows in nanoseconds."""
Seconds = Annotated[int | float, Field(ge=0, le=1e18)]
Count = Annotated[int, Field(ge=0)]


def names_of(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a dataclass or a named tuple, in the order in which it takes their values."""
    names: tuple[str, ...] = kind.__match_args__
    return names


class Fields:
    """The annotation of a dataclass that is stored as the list of its values.

    ``special`` are types of fields that are stored in another form than their own.
    """

    def __init__(self, kind: type[Any], /, **special: Any) -> None:
        self.kind = kind
        self.special = special

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        hints = get_type_hints(self.kind) | self.special
        values = [handler.generate_schema(_exact(hints[name])) for name in names_of(self.kind)]
        return core_schema.no_info_after_validator_function(
            lambda given: self.kind(*given), core_schema.tuple_schema(values)
        )


class Columns:
    """The annotation of rows that are stored as a list for each of their fields.

    They come out as what they are annotated to be, a list or a tuple.
    ``special`` are types of fields that are stored in another form than their own.
    """

    def __init__(self, kind: type[Any], /, **special: Any) -> None:
        self.kind = kind
        self.special = special

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        hints = get_type_hints(self.kind) | self.special
        lists: dict[str, Any] = {
            name: (list[_exact(hints[name])], ...)  # type: ignore[misc]  # known when it runs
            for name in names_of(self.kind)
        }
        table = create_model(f"{self.kind.__name__}Columns", __base__=Record, **lists)
        return core_schema.no_info_after_validator_function(
            _rows_of(self.kind, get_origin(source)), handler.generate_schema(table)
        )


def _rows_of(
    kind: type[Any], collect: Callable[[Iterator[Any]], Any]
) -> Callable[[BaseModel], Any]:
    def rows(table: BaseModel) -> Any:
        columns = [getattr(table, name) for name in names_of(kind)]
        return collect(kind(*values) for values in zip(*columns, strict=True))

    return rows


def _exact(hint: Any) -> Any:
    return Number if hint is float else hint


class GraphEntry(Record):
    """What :meth:`hetsim.workload.graph.Graph.create` takes."""

    name: str
    operators: Annotated[
        list[Operator],
        Columns(
            Operator,
            nest=Annotated[LoopNest, Fields(LoopNest)] | None,
            attributes=dict[str, Any],
        ),
    ]
    tensors: Annotated[list[Tensor], Columns(Tensor, shape=tuple[Count, ...])]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Count
    unread: Count = 0
    notes: tuple[str, ...]


class PlanEntry(Record):
    """The fields of a :class:`~hetsim.plan.model.Plan`."""

    model: str
    partitions: Annotated[tuple[Partition, ...], Columns(Partition)]
    parallel_groups: tuple[tuple[str, ...], ...]
    scheduler: str
    parameters: dict[str, Any]
    predicted_s: Number | None
    details: dict[str, Any]
    rewrites: Annotated[tuple[Rewrite, ...], Columns(Rewrite)]
    proof: Annotated[Proof, Fields(Proof)] | None
    memories: dict[str, str]


class TraceEntry(Record):
    """The fields of a :class:`~hetsim.sim.trace.Trace`."""

    makespan_s: Seconds
    pu_busy_s: dict[str, Seconds]
    links: dict[str, Annotated[LinkUsage, Fields(LinkUsage)]]
    spans: Annotated[list[Span], Columns(Span, start=Seconds, end=Seconds)]
    rates: Annotated[list[RateSample], Columns(RateSample, time=Seconds, rate=Seconds)]
    tasks: Annotated[
        list[TaskRow], Columns(TaskRow, position=Count, pu=Count, start=Seconds, end=Seconds)
    ]
    activities: Annotated[list[Activity], Columns(Activity, start=Seconds, end=Seconds)]
    hits: Annotated[list[Hit], Columns(Hit, position=Count, bytes=Count)]
    arrived: list[Seconds]
    finished: list[Seconds]
    events: Count
    state_peak_bytes: dict[str, int]


class RunEntry(Record):
    """The fields of a :class:`~hetsim.analysis.result.Run`; ``network`` is the position of its."""

    model: str
    scheduler: str
    metrics: dict[str, Number | None]
    error: str | None
    network: Count
    plan: PlanEntry | None
    trace: TraceEntry | None
    bounds: tuple[Annotated[Bound, Fields(Bound)], ...]
    pus: dict[str, Annotated[PUMetrics, Fields(PUMetrics)]]
    links: dict[str, Annotated[LinkMetrics, Fields(LinkMetrics, classes=dict[Class, Count])]]
    operators: Annotated[tuple[OperatorRow, ...], Columns(OperatorRow)]
    attribution: dict[Part, Number]
    pu_attribution: dict[str, dict[Part, Number]]
    residents: Annotated[
        tuple[Resident, ...],
        Columns(Resident, kind=Kind, bytes=Count, start_s=Seconds, end_s=Seconds),
    ]
    energy_apart: dict[str, Number]
    limits: Annotated[tuple[Limit, ...], Columns(Limit, cause=Cause, gain_s=Seconds)]
    range: Annotated[Range, Fields(Range, ratios=tuple[Seconds, ...])]


class FigureEntry(Record):
    """A published improvement, and what may come out over what nobody measured."""

    model: str
    scheduler: str
    baseline: str
    improvement_percent: Number
    band: list[Number] | None = None
    settings: Count = 0


class ReferenceEntry(Record):
    """Published figures; nothing is said where there are none."""

    title: str
    source: str
    figures: list[FigureEntry]
    unmeasured: list[str] = Field(default_factory=list)


class ResultEntry(Record):
    """The whole file."""

    schema_: str = Field(alias="schema")
    scenario: str
    soc: dict[str, Any]
    seed: int
    execution: str
    notes: tuple[str, ...]
    reference: ReferenceEntry | dict[str, None]
    inputs: dict[str, str]
    networks: list[GraphEntry]
    runs: list[RunEntry]
