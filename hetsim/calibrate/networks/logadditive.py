"""The log-additive table as a model of a new device: other devices' times, times one factor.

It knows no graph. A network that other devices ran takes here what it took there times the device's
factor, the median over the networks measured here (for each precision, where at least
:data:`FEWEST` were). It cannot say anything about a network that nobody measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.calibrate.networks.agreement import LogAdditive, job_of
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.errors import ConfigError
from hetsim.numeric import Floats

FEWEST = 3
"""Cases of a precision from which it has a factor of its own."""


class LogAdditiveModel:
    """Other devices' times, times a factor."""

    name = "log-additive"

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> LogAdditiveFit:
        """The factor of the device from ``cases`` whose networks are among ``others``.

        Raises:
            ConfigError: no measurement of other devices, or none of a common network.
        """
        if not others:
            raise ConfigError("a log-additive table needs measurements of other devices")
        table = LogAdditive.fit([case.row for case in others])
        jobs = dict(table.jobs)
        # The same network under another runtime stands in for one that was not measured.
        near: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for case in others:
            near[case.job].append(jobs[job_of(case.row)])
        effects = {job: float(np.median(found)) for job, found in near.items()}
        fitted = LogAdditiveFit(table.devices, jobs, effects, {}, 0.0)
        left = np.log([case.seconds for case in cases]) - fitted.effects_of(cases)
        known = np.isfinite(left)
        if not known.any():
            raise ConfigError("no network was measured both here and on another device")
        factors = {}
        for group in {case.precision.group for case in cases}:
            of = known & [case.precision.group == group for case in cases]
            if of.sum() >= FEWEST:
                factors[group] = float(np.median(left[of]))
        overall = float(np.median(left[known]))
        return LogAdditiveFit(table.devices, jobs, effects, factors, overall)


@dataclass(frozen=True)
class LogAdditiveFit:
    """Logarithms: of other devices, jobs, networks under any runtime, and of the new device by
    precision and at all."""

    devices: Mapping[str, float]
    jobs: dict[tuple[str, ...], float]
    near: dict[tuple[str, str, str], float]
    factors: dict[str, float]
    factor: float

    def effects_of(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """ln seconds of each case on the median device; NaN where nobody measured it."""
        nothing = float("nan")
        return np.array(
            [self.jobs.get(job_of(c.row), self.near.get(c.job, nothing)) for c in cases]
        )

    def factors_of(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """ln of the device's factor for each case."""
        return np.array([self.factors.get(case.precision.group, self.factor) for case in cases])

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds of each case; NaN where no other device ran its network."""
        seconds = np.exp(self.effects_of(cases) + self.factors_of(cases))
        return np.asarray(seconds, dtype=np.float64)
