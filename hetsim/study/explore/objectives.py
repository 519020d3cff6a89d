"""What exploration minimises and what designs must meet: ``latency_ms``, ``area <= 12``.

A design is judged by its networks together: its latency is that of the slowest network, its energy
the sum of theirs, each under the scheduler that is fastest on it. Area and cost are the sums
that the SoC file states (:mod:`hetsim.soc.price`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hetsim.errors import ConfigError, Location
from hetsim.names import suggest
from hetsim.study.point import Outcome, Point

MEASURES: Mapping[str, tuple[str, float]] = {
    "latency_s": ("latency", 1.0),
    "latency_ms": ("latency", 1e-3),
    "latency_us": ("latency", 1e-6),
    "energy_j": ("energy", 1.0),
    "energy_mj": ("energy", 1e-3),
    "energy_uj": ("energy", 1e-6),
    "area": ("area", 1.0),
    "cost": ("cost", 1.0),
}
"""Names of objectives: the quantity and its unit in SI."""

LABELS = {
    "latency_s": "latency (s)",
    "latency_ms": "latency (ms)",
    "latency_us": "latency (µs)",
    "energy_j": "energy (J)",
    "energy_mj": "energy (mJ)",
    "energy_uj": "energy (µJ)",
    "area": "area (mm²)",
    "cost": "cost",
}
"""The names as axes of pictures say them."""

STATE_IT = {
    "area": "add an 'area' section to the SoC file (see hetsim schema soc)",
    "cost": "add a 'cost' section to the SoC file (see hetsim schema soc)",
    "energy": "state active_power, idle_power or energy_per_byte in the SoC file",
}

_CONSTRAINT = re.compile(r"\s*(\w+)\s*(<=|>=)\s*([-+]?[\d._]+(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Constraint:
    """``measure <= bound``, or ``>=``."""

    measure: str
    upper: bool
    bound: float

    def violation(self, measured: Mapping[str, float]) -> float:
        """The share of the bound by which a design misses it; zero or less when it meets it."""
        excess = measured[self.measure] - self.bound
        return (excess if self.upper else -excess) / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.measure} {'<=' if self.upper else '>='} {self.bound:g}"


def parse_objectives(names: Sequence[str]) -> tuple[str, ...]:
    """Checks names of objectives.

    Raises:
        ConfigError: an unknown one, or one given twice (also in two units).
    """
    quantities: list[str] = []
    for name in names:
        quantity = _known(name, "--minimise")
        if quantity in quantities:
            raise ConfigError(f"{quantity} is minimised twice", where=Location("--minimise"))
        quantities.append(quantity)
    return tuple(names)


def parse_constraint(text: str) -> Constraint:
    """Reads ``latency_ms <= 33``.

    Raises:
        ConfigError: it is not of that form, or of something unknown.
    """
    match = _CONSTRAINT.fullmatch(text)
    try:
        bound = float(match[3].replace("_", "")) if match else None
    except ValueError:
        bound = None
    if match is None or bound is None:
        raise ConfigError(
            f"{text!r} is not a constraint", where=Location("--constraint"),
            hint="write it like 'latency_ms <= 33'; the unit is part of the name",
        )  # fmt: skip
    _known(match[1], "--constraint")
    return Constraint(match[1], match[2] == "<=", bound)


def measure(
    rows: Iterable[tuple[Point, Outcome]], wanted: Iterable[str]
) -> tuple[dict[str, float], str | None]:
    """The measures of one design from all its runs; or why it has none.

    ``rows`` are its networks under the scenario's schedulers.
    """
    best: dict[str, Outcome | None] = {}
    errors: dict[str, str] = {}
    for point, outcome in rows:
        present = best.setdefault(point.model, None)
        if outcome.makespan_s is None:
            errors.setdefault(point.model, outcome.error or "no result")
        elif present is None or outcome.makespan_s < (present.makespan_s or 0.0):
            best[point.model] = outcome
    for model, found in best.items():
        if found is None:
            return {}, f"{model}: {errors[model]}"
    runs = [found for found in best.values() if found is not None]
    energies = [run.energy_j for run in runs]
    values: dict[str, float | None] = {
        "latency": max(run.makespan_s or 0.0 for run in runs),
        "energy": None if None in energies else sum(e or 0.0 for e in energies),
        "area": runs[0].area,
        "cost": runs[0].cost,
    }
    measured: dict[str, float] = {}
    for name in wanted:
        quantity, unit = MEASURES[name]
        value = values[quantity]
        if value is None:
            return {}, f"the SoC states no {quantity}: {STATE_IT[quantity]}"
        measured[name] = value / unit
    return measured, None


def _known(name: str, asked_by: str) -> str:
    if name not in MEASURES:
        raise ConfigError(
            f"there is no measure {name!r}", where=Location(asked_by), hint=suggest(name, MEASURES)
        )
    return MEASURES[name][0]
