"""A new device: the simulation fitted to few networks there, times what it misses elsewhere.

What a simulation misses of a network is mostly what the compiler made of it, and the compiler is
the same on every device of a table: ln(measured / simulated) of one network agrees between devices.
So a prediction is the simulated time times the median of that ratio over the other devices that ran
the network in that precision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hetsim.calibrate.networks.agreement import job_of
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.simulated import FittedUnit, SimulatedModel
from hetsim.numeric import Floats

Job = tuple[str, ...]
"""A network in a precision, or that under one runtime."""

FEWEST = 10
"""Rows of another device from which its misses count."""


class CarriedModel:
    """The simulation of a device, corrected network by network."""

    name = "simulated, misses carried over"

    def __init__(self, simulated: SimulatedModel) -> None:
        self._simulated = simulated
        self._misses: dict[tuple[int, ...], dict[Job, float]] = {}

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> CarriedFit:
        """Fits the unit to ``cases``, and collects what it misses on the devices of ``others``.

        Raises:
            ConfigError: too few cases.
        """
        devices: dict[str, list[MeasuredNetwork]] = defaultdict(list)
        for case in others:
            if self._simulated.dtype(case):
                devices[case.device].append(case)
        known = [self._missed(rows) for _, rows in sorted(devices.items()) if len(rows) >= FEWEST]
        jobs = sorted({job for misses in known for job in misses})
        every = {job: [misses[job] for misses in known if job in misses] for job in jobs}
        missed = {job: float(np.median(found)) for job, found in every.items()}
        # Fitted to what would have been measured if the simulation missed nothing.
        shifted = [_shifted(case, miss) for case in cases for miss in _told(case, missed)]
        shifted = shifted or list(cases)
        return CarriedFit(self._simulated.fit(shifted, others), missed)

    def _missed(self, rows: list[MeasuredNetwork]) -> dict[Job, float]:
        key = tuple(id(case.row) for case in rows)
        if key not in self._misses:
            fitted = self._simulated.alone(rows)
            off = np.log([case.seconds for case in rows]) - np.log(fitted.predict(rows))
            found: dict[Job, list[float]] = defaultdict(list)
            for case, value in zip(rows, off, strict=True):
                found[case.job].append(float(value))
                found[job_of(case.row)].append(float(value))
            self._misses[key] = {job: float(np.median(v)) for job, v in found.items()}
        return self._misses[key]


@dataclass(frozen=True)
class CarriedFit:
    """The unit, and ln(measured / simulated) of networks elsewhere."""

    unit: FittedUnit
    missed: dict[Job, float]

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds; of a network that nobody else ran, the simulated ones."""
        off = np.array([(_told(case, self.missed) or [0.0])[0] for case in cases])
        return np.asarray(self.unit.predict(cases) * np.exp(off))


def _told(case: MeasuredNetwork, missed: Mapping[Job, float]) -> list[float]:
    """What is missed of a case, under its runtime if others have used that; else nothing."""
    return [missed[job] for job in (job_of(case.row), case.job) if job in missed][:1]


def _shifted(case: MeasuredNetwork, miss: float) -> MeasuredNetwork:
    row = replace(case.row, latency_s=case.seconds * float(np.exp(-miss)))
    return replace(case, row=row)
