"""What a table of measured networks says of itself: the least error that any model can have.

A log-additive table, ln t = job + device (a job is network, component, precision and runtime; both
by alternating medians, Tukey 1977), says how far devices are alike but for a factor; single rows
far off it are told. Runtimes of one network on one device are two answers to one question, and a
model that does not know runtimes is at least half their distance wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np

from hetsim.calibrate.networks.doubts import COPIES, OFF, ORDER, SLOWER, line_of
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.cost.measured.readers.base import FASTEST_MACS
from hetsim.cost.measured.table import Doubt
from hetsim.numeric import Floats

Name = TypeVar("Name")

OFF_TABLE = 3.0
"""Times what the other devices lead to expect from which a row is told."""

ORDER_APART = 100.0
"""Times that from which a unit is suspected."""

FEWEST_COMMON = 5
"""Rows that two devices must share for their equality to say anything."""

ROUNDS = 20


def job_of(row: NetworkTime) -> tuple[str, ...]:
    """What two devices can both be asked: network, precision, runtime, unit, phase and sizes."""
    return (row.network, row.component, row.precision.lower(), row.runtime, row.unit, row.phase,
            str(row.batch), str(row.tokens), str(row.context))  # fmt: skip


@dataclass(frozen=True)
class LogAdditive:
    """ln seconds = ``jobs[job]`` + ``devices[device]``."""

    jobs: Mapping[tuple[str, ...], float]
    devices: Mapping[str, float]

    @classmethod
    def fit(cls, rows: Sequence[NetworkTime]) -> LogAdditive:
        """By alternating medians; the median device is 0."""
        seconds = np.log([row.latency_s for row in rows])
        jobs = _Index([job_of(row) for row in rows])
        devices = _Index([row.device for row in rows])
        of_device = np.zeros(len(devices.names))
        of_job = np.zeros(len(jobs.names))
        for _ in range(ROUNDS):
            of_job = jobs.medians(seconds - of_device[devices.at])
            step = devices.medians(seconds - of_job[jobs.at]) - of_device
            of_device = of_device + step
            of_device -= np.median(of_device)
            if np.abs(step).max() < 1e-9:
                break
        of_job = jobs.medians(seconds - of_device[devices.at])
        return cls(
            dict(zip(jobs.names, of_job.tolist(), strict=True)),
            dict(zip(devices.names, of_device.tolist(), strict=True)),
        )

    def residual(self, row: NetworkTime) -> float:
        """ln of measured over expected."""
        return float(np.log(row.latency_s)) - self.jobs[job_of(row)] - self.devices[row.device]


class _Index(Generic[Name]):
    """Positions of values among their distinct names, and medians by name."""

    def __init__(self, values: Sequence[Name]) -> None:
        self.names = list(dict.fromkeys(values))
        where = {name: i for i, name in enumerate(self.names)}
        self.at = np.array([where[value] for value in values], dtype=np.int64)
        count = np.bincount(self.at, minlength=len(self.names))
        first = np.cumsum(count) - count
        self._middle = first + (count - 1) // 2, first + count // 2

    def medians(self, values: Floats) -> Floats:
        """Of ``values`` by name, in the order of ``names``."""
        ordered = values[np.lexsort((values, self.at))]
        low, high = self._middle
        return np.asarray((ordered[low] + ordered[high]) / 2, dtype=np.float64)


@dataclass(frozen=True)
class Spread:
    """How far pairs of measurements that should be equal are apart: factors less one."""

    what: str
    pairs: int
    median: float
    p90: float
    largest: float

    @classmethod
    def of(cls, what: str, ratios: Iterable[float]) -> Spread | None:
        """Of logarithms of ratios; ``None`` without any."""
        apart = np.expm1(np.abs(list(ratios)))
        if not apart.size:
            return None
        return cls(what, apart.size, float(np.median(apart)), float(np.quantile(apart, 0.9)),
                   float(apart.max()))  # fmt: skip


@dataclass(frozen=True)
class DeviceSpread:
    """How far a device's rows are off what the others lead to expect: factors less one.

    ``off`` rows are at least :data:`OFF_TABLE` times off; ``factor`` is their median factor. One
    factor for all of them says that the device was at times another one: throttled, or exchanged.
    """

    device: str
    rows: int
    median: float
    p90: float
    off: int
    factor: float | None


@dataclass(frozen=True)
class Agreement:
    """What a table says of itself.

    ``devices``: how far each is off a factor times the others. ``copies``: devices all of whose
    rows are, to the digit, those of another (which is kept).
    ``spreads``: pairs of runtimes, and the log-additive table, the nearest first.
    ``doubts``: rows off the table, quantised networks slower than float ones, units, copies.
    """

    copies: Mapping[str, str]
    devices: tuple[DeviceSpread, ...]
    spreads: tuple[Spread, ...]
    doubts: tuple[Doubt, ...]


def agreement(
    rows: Sequence[NetworkTime], macs: Mapping[tuple[str, str], int], keep: Iterable[str] = ()
) -> Agreement:
    """What ``rows`` say of themselves.

    ``macs`` of networks with a graph, by network and component. Of two equal devices, the one in
    ``keep`` is no copy, else the first in the table.
    """
    copies = _copies(rows, frozenset(keep))
    doubts = [
        Doubt(
            COPIES,
            f"all rows of {device} that {first} has, too, are equal to the digit: one measurement"
            " told twice, and counted once; of two measurements, one would differ",
        )
        for device, first in copies.items()
    ]
    own = [row for row in rows if row.device not in copies]
    spreads = [_runtimes(own)]
    table = LogAdditive.fit(own)
    shared = _shared(own)
    residuals = [(table.residual(row), row) for row in own if job_of(row) in shared]
    spreads.append(
        [s for s in [Spread.of("devices, log-additive table", (r for r, _ in residuals))] if s]
    )
    doubts += _off(table, residuals)
    doubts += _impossible(own, macs)
    doubts += _slower(own)
    flat = sorted((s for group in spreads for s in group), key=lambda s: s.median)
    return Agreement(copies, _by_device(residuals), tuple(flat), tuple(doubts))


def _by_device(residuals: Sequence[tuple[float, NetworkTime]]) -> tuple[DeviceSpread, ...]:
    told = []
    for device in sorted({row.device for _, row in residuals}):
        of = np.array([residual for residual, row in residuals if row.device == device])
        apart, off = np.expm1(np.abs(of)), of[np.abs(of) >= np.log(OFF_TABLE)]
        told.append(
            DeviceSpread(
                device, len(of), float(np.median(apart)), float(np.quantile(apart, 0.9)), len(off),
                float(np.exp(np.median(off))) if len(off) else None,
            )
        )  # fmt: skip
    return tuple(told)


def _copies(rows: Sequence[NetworkTime], keep: frozenset[str]) -> dict[str, str]:
    times: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for row in rows:
        times[row.device][job_of(row)] = row.latency_s
    order = sorted(times, key=lambda name: name not in keep)  # stable: the table's order after
    copies: dict[str, str] = {}
    for first, other in combinations(order, 2):
        common = times[first].keys() & times[other].keys()
        if other in copies or other in keep or len(common) < FEWEST_COMMON:
            continue
        if all(times[first][job] == times[other][job] for job in common):
            copies[other] = copies.get(first, first)
    return copies


def _shared(rows: Sequence[NetworkTime]) -> set[tuple[str, ...]]:
    """Jobs of several devices: of one alone, the table says nothing."""
    devices: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in rows:
        devices[job_of(row)].add(row.device)
    return {job for job, of in devices.items() if len(of) > 2}


def _runtimes(rows: Sequence[NetworkTime]) -> list[Spread]:
    same: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for row in rows:
        key = (row.device, row.network, row.component, row.precision, row.unit, row.phase)
        same[key].setdefault(row.runtime, float(np.log(row.latency_s)))
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for times in same.values():
        for one, other in combinations(sorted(times), 2):
            pairs[one, other].append(times[one] - times[other])
    told = [Spread.of(f"{a} and {b}", ratios) for (a, b), ratios in sorted(pairs.items())]
    return [spread for spread in told if spread is not None]


def _off(table: LogAdditive, residuals: Sequence[tuple[float, NetworkTime]]) -> list[Doubt]:
    told = []
    for device, effect in table.devices.items():
        if abs(effect) >= np.log(ORDER_APART):
            told.append(
                Doubt(
                    ORDER,
                    f"{device}: {_factor(effect)} than the median device throughout; a device of"
                    f" this decade would be within {ORDER_APART:.0f}x: are these milliseconds?",
                )
            )
    for residual, row in residuals:
        if abs(residual) < np.log(OFF_TABLE):
            continue
        expected = row.latency_s / np.exp(residual)
        kind, ask = OFF, ""
        if abs(residual) >= np.log(ORDER_APART):
            kind, ask = ORDER, ": is this in milliseconds?"
        told.append(
            Doubt(
                kind,
                f"{row.network} ({row.precision or 'no precision'}) on {row.device} under"
                f" {row.runtime or 'no runtime'}: {row.latency_s * 1e3:.4g} ms,"
                f" {_factor(residual)} than other devices lead to expect; it would be about"
                f" {expected * 1e3:.4g} ms{ask}",
                row.where,
            )
        )
    return told


def _factor(log_ratio: float) -> str:
    return f"{np.exp(abs(log_ratio)):.3g}x {'slower' if log_ratio > 0 else 'faster'}"


def _impossible(rows: Sequence[NetworkTime], macs: Mapping[tuple[str, str], int]) -> list[Doubt]:
    told = []
    for row in rows:
        work = macs.get((row.network, row.component), 0)
        if work / row.latency_s > FASTEST_MACS:
            told.append(
                Doubt(
                    ORDER,
                    f"{row.network}: {row.latency_s * 1e3:.4g} ms is"
                    f" {work / row.latency_s:.2g} multiply-accumulates per second; no device of"
                    f" this decade makes {FASTEST_MACS:.0e}, so it would be at least"
                    f" {work / FASTEST_MACS * 1e3:.3g} ms: is this in milliseconds?",
                    row.where,
                )
            )
    return told


def _slower(rows: Sequence[NetworkTime]) -> list[Doubt]:
    """Rows of w8a8 that are slower than the same network in float, beyond what runtimes differ."""
    floats: dict[tuple[str, ...], NetworkTime] = {}
    for row in sorted(rows, key=lambda row: row.latency_s):  # of repeated rows, the fastest
        if row.precision.lower() == "float":
            floats.setdefault((row.network, row.component, row.device, row.runtime, row.unit), row)
    told = []
    for row in rows:
        other = floats.get((row.network, row.component, row.device, row.runtime, row.unit))
        if other is None or row.precision.lower() != "w8a8":
            continue
        if row.latency_s > 1.1 * other.latency_s:
            told.append(
                Doubt(
                    SLOWER,
                    f"{row.network} on {row.device} under {row.runtime}: w8a8 takes"
                    f" {row.latency_s * 1e3:.4g} ms and float {other.latency_s * 1e3:.4g} ms"
                    f" ({line_of(other)}); a unit with int8 arithmetic would not be slower in it",
                    row.where,
                )
            )
    return told
