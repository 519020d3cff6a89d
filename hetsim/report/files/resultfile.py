"""What ``result.json`` may say: the schema behind ``hetsim schema result``.

:mod:`hetsim.report.files.jsonout` writes such files; a test holds the two against each other. Times
are microseconds, sizes bytes, shares fractions of one. A row holds numbers that the schema does not
name: metrics of whoever wrote the file, which need not be installed where it is read.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.registry import told
from hetsim.records import Record


class KernelsEntry(Record):
    """The kernels of a unit that one thing bounds: what most of their time goes into."""

    kernels: int
    us: float = Field(description="time of these kernels")


class LimitEntry(Record):
    """What most of a unit's time goes into, and the most that is gained by mending it."""

    cause: str
    busy_us: float = Field(description="with its partitions, host steps for them included")
    share: float = Field(description="of that, time that goes into the cause")
    gain_us: float = Field(description="of the makespan, with the same plan; a limit")


class PUEntry(Record):
    """A processing unit over one run."""

    busy_us: float = Field(description="time it was busy with kernels")
    utilization: float | None = Field(description="busy share of the makespan")
    attribution_us: dict[str, float] = Field(description="where the makespan went on this unit")
    bounds: dict[str, KernelsEntry] = Field(default_factory=dict, description="kernels by bound")
    limit: LimitEntry | None = Field(default=None, description="null when it ran nothing")


class LinkEntry(Record):
    """A link over one run."""

    bytes: int = Field(description="carried in all")
    utilization: float | None = Field(description="share of what it could have carried")
    contention_us: float = Field(description="time that transfers lost to one another on it")
    bytes_by_class: dict[str, int] = Field(
        default_factory=dict, description="whose they are; adds up to bytes"
    )


class ResidentEntry(Record):
    """A tensor, or the weights or buffers of a kernel."""

    name: str
    kind: str
    bytes: int


class MemoryEntry(Record):
    """The most that a memory holds at once; UNIT.sram is a unit's own."""

    peak_bytes: int
    at_us: float = Field(description="when that is reached first")
    bytes_by_kind: dict[str, int]
    largest: list[ResidentEntry] = Field(description="what takes most of it")


class BoundEntry(Record):
    """A proven lower bound on the makespan."""

    us: float
    argument: str = Field(description="why no schedule can be faster")


class RunEntry(Record):
    """One network planned by one scheduler and simulated."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int | float | None] = Field(init=False)

    model: str
    scheduler: str
    error: str | None = Field(default=None, description="why the row failed; figures are null then")
    operators: int = Field(description="of the network")
    pus: dict[str, PUEntry]
    links: dict[str, LinkEntry]
    memories: dict[str, MemoryEntry] = Field(default_factory=dict)
    bounds: list[BoundEntry]
    beaten_by_best: float | None = Field(
        default=None,
        description="probability that the fastest plan of its network really is faster, errors that"
        " both share aside; null for that plan, and where a time has no range",
    )
    attribution_us: dict[str, float] = Field(
        description="the makespan split along the critical path; the parts add up to it"
    )
    energy_apart_uj: dict[str, float] = Field(
        default_factory=dict,
        description="what is no kernel's; with the kernels' energy it adds up to the run's",
    )
    files: dict[str, str] = Field(description="files beside result.json, by kind")

    @property
    def metrics(self) -> dict[str, int | float | None]:
        """Every metric of the row, as written, by key; also those that are not installed here."""
        return self.__pydantic_extra__


class FigureEntry(Record):
    """A published figure and ours."""

    model: str
    scheduler: str
    baseline: str
    published_percent: float | None
    simulated_percent: float | None
    simulated_saved_percent: float | None
    band_percent: tuple[float, float] | None = Field(
        default=None, description="the least and the most simulated, over what nobody measured"
    )
    settings: int = Field(default=0, description="combinations of it that were simulated")


class ReferenceEntry(Record):
    """Published figures printed beside the simulated ones."""

    title: str
    source: str
    definition: str
    figures: list[FigureEntry]
    unmeasured: list[str] = Field(default_factory=list, description="what nobody measured")


class ResultFile(Record):
    """Everything one scenario produced, as ``result.json`` and ``--json`` state it."""

    format: Literal["hetsim.result/1"] = Field(alias="schema")
    scenario: str
    soc: str
    seed: int
    execution: str
    runs: list[RunEntry]
    reference: ReferenceEntry | None
    notes: list[str]


_BEFORE = {"front": "operators", "sizes": "pus", "end": "energy_apart_uj"}
"""What follows in a row on the metrics that stand at a place."""


def result_json_schema() -> dict[str, Any]:
    """The JSON Schema of ``result.json``, with every metric that is installed here."""
    schema = ResultFile.model_json_schema()
    row = schema["$defs"]["RunEntry"]
    chosen = [metric for metric in told("record") if not metric.of_the_soc]
    properties: dict[str, Any] = {}
    for name, described in row["properties"].items():
        properties |= {m.key: described_metric(m) for m in chosen if _BEFORE[m.stands] == name}
        properties[name] = described
    row["properties"] = properties
    row["required"] = [name for name in properties if name != "error"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "hetsim result"
    return schema


def described_metric(metric: Metric) -> dict[str, Any]:
    """A metric as a property of a JSON Schema."""
    kind = "integer" if metric.unit == "count" else "number"
    return {
        "anyOf": [{"type": kind}, {"type": "null"}],
        "description": metric.about,
        "title": metric.key.replace("_", " ").title(),
    }
