"""What ``result.json`` may say: the schema behind ``hetsim schema result``.

:mod:`hetsim.report.files.jsonout` writes such files; a test holds the two against each other. Times
are microseconds, sizes bytes, shares fractions of one.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PUEntry(_Strict):
    """A processing unit over one run."""

    busy_us: float = Field(description="time it was busy with kernels")
    utilization: float | None = Field(description="busy share of the makespan")
    attribution_us: dict[str, float] = Field(description="where the makespan went on this unit")


class LinkEntry(_Strict):
    """A link over one run."""

    bytes: int = Field(description="carried in all")
    utilization: float | None = Field(description="share of what it could have carried")
    contention_us: float = Field(description="time that transfers lost to one another on it")


class BoundEntry(_Strict):
    """A proven lower bound on the makespan."""

    us: float
    argument: str = Field(description="why no schedule can be faster")


class RunEntry(_Strict):
    """One network planned by one scheduler and simulated."""

    model: str
    scheduler: str
    error: str | None = Field(default=None, description="why the row failed; figures are null then")
    makespan_us: float | None = Field(description="simulated")
    predicted_us: float | None = Field(description="what the scheduler expected")
    lower_bound_us: float | None = Field(description="the best of the bounds")
    gap: float | None = Field(description="makespan / bound - 1")
    operators: int = Field(description="of the network")
    partitions: int | None = Field(description="of the plan")
    pus: dict[str, PUEntry]
    links: dict[str, LinkEntry]
    bounds: list[BoundEntry]
    attribution_us: dict[str, float] = Field(
        description="the makespan split along the critical path; the parts add up to it"
    )
    contention_free_us: float | None = Field(
        description="makespan of the same plan when no transfer disturbs another"
    )
    energy_uj: float | None = Field(description="null when the SoC states no power")
    events: int | None = Field(description="of the simulation")
    files: dict[str, str] = Field(description="files beside result.json, by kind")


class FigureEntry(_Strict):
    """A published figure and ours."""

    model: str
    scheduler: str
    baseline: str
    published_percent: float | None
    simulated_percent: float | None
    simulated_saved_percent: float | None


class ReferenceEntry(_Strict):
    """Published figures printed beside the simulated ones."""

    title: str
    source: str
    definition: str
    figures: list[FigureEntry]


class ResultFile(_Strict):
    """Everything one scenario produced, as ``result.json`` and ``--json`` state it."""

    format: Literal["hetsim.result/1"] = Field(alias="schema")
    scenario: str
    soc: str
    seed: int
    execution: str
    runs: list[RunEntry]
    reference: ReferenceEntry | None
    notes: list[str]


def result_json_schema() -> dict[str, Any]:
    """The JSON Schema of ``result.json``."""
    schema = ResultFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "hetsim result"
    return schema
