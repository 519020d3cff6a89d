"""Runs checks, here or side by side in processes; the outcome is the same."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from hetsim.errors import ConfigError, HetsimError, MissingExtraError
from hetsim.executors.base import Bench, Executor
from hetsim.progress import Progress
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.limits import Limit
from hetsim.validate.outcome import Outcome, Part
from hetsim.validate.registry import checks
from hetsim.validate.tables import UnavailableError


@dataclass(frozen=True, slots=True)
class Job:
    """A part of the check called ``name``."""

    name: str
    part: str


class CheckBench(Bench[Job, Part]):
    """Carries out parts of checks."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def evaluate(self, job: Job) -> Part:
        """The rows of a part, or why there are none."""
        begun = time.process_time()
        try:
            check = checks()[job.name]()
            rows = tuple(_sound(row) for row in check.rows(self.setting, job.part))
        except HetsimError as error:
            return _without(error)
        except Exception as error:  # whatever a check of others does is said, and others go on
            return Part(reason=f"a defect of the check: {type(error).__name__}: {error}")
        return Part(rows, cpu_s=time.process_time() - begun)

    def lost(self, job: Job, reason: str) -> Part:
        """A worker died."""
        return Part(reason=reason)


def run_checks(
    chosen: Mapping[str, Check],
    setting: Setting,
    limits: Mapping[str, Mapping[str, Limit]],
    executor: Executor[Job, Part],
    progress: Progress | None = None,
) -> list[Outcome]:
    """The outcome of each check, in order. What a check cannot do is a part of its outcome."""
    found: dict[tuple[str, int], Part] = {}
    jobs: list[tuple[tuple[str, int], Job]] = []
    for name, check in chosen.items():
        try:
            parts = check.parts(setting)
        except HetsimError as error:
            found[name, 0] = _without(error)
            continue
        jobs += [((name, i), Job(name, part)) for i, part in enumerate(parts)]
    executor.ensure(CheckBench(setting))
    # What measures this machine waits for the others and has it for itself.
    apart = [job for job in jobs if chosen[job[0][0]].on_host]
    beside = [job for job in jobs if job not in apart]
    for ticket, part in chain(executor.perform(beside), *(executor.perform([j]) for j in apart)):
        found[ticket] = part
        if progress:
            progress(ticket[0], len(found), len(jobs))
    return [
        Outcome(
            name,
            check,
            tuple(found[ticket] for ticket in sorted(t for t in found if t[0] == name)),
            limits.get(name, {}),
        )
        for name, check in chosen.items()
    ]


def _sound(row: Row) -> Row:
    for value in (row.reference, row.simulated):
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(
                f"{row.group}, {row.name}: {value!r} cannot be compared",
                hint="values are positive and finite",
            )
    return row


def _without(error: HetsimError) -> Part:
    missing = isinstance(error, MissingExtraError | UnavailableError)
    return Part(reason=str(error).replace("\n  ", "; "), impossible=missing)
