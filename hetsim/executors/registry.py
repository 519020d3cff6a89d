"""Which executors there are, and which one a study uses.

Jobs are performed on this machine, by as many processes as asked, or *elsewhere*: wherever an
executor of the table below, or one of an installed package, finds workers by an address. Every verb
of a study has an option for each of those; nothing is imported before it is used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.executors.base import Answer, Executor, Job
from hetsim.executors.processes import ProcessExecutor
from hetsim.executors.serial import SerialExecutor
from hetsim.plugins import installed, load_class

GROUP = "hetsim.executors"
"""The entry-point group in which other packages register executors; the name is the option's."""


@dataclass(frozen=True, slots=True)
class Place:
    """An executor that finds its workers by an address: ``module:Class``, taking that alone.

    ``metavar`` and ``help`` are what the option says.
    """

    path: str
    metavar: str = "ADDRESS"
    help: str = ""


ELSEWHERE = {
    "dask": Place(
        "hetsim.executors.cluster:ClusterExecutor",
        "tcp://HOST:PORT",
        "Run on the Dask cluster of this scheduler.",
    ),
}
"""Executors that ship with hetsim, by the name of their option."""


def places() -> dict[str, Place]:
    """Those that ship with hetsim, then those of installed packages, by keyword."""
    others = {
        point.name.replace("-", "_"): Place(point.value, help=f"Run on {point.value}.")
        for point in installed(GROUP)
    }
    return {**ELSEWHERE, **{name: p for name, p in others.items() if name not in ELSEWHERE}}


def executor(
    workers: int | None = 1, points: int | None = None, **elsewhere: str | None
) -> Executor[Job, Answer]:
    """The executor for ``workers`` processes, or one elsewhere: ``dask="tcp://10.0.0.1:8786"``.

    ``None`` workers are as many as the machine has processors, but no more than ``points``.

    Raises:
        ConfigError: fewer than one worker, more than one place elsewhere.
        MissingExtraError: a cluster is wanted and distributed is not installed.
    """
    asked = {name: address for name, address in elsewhere.items() if address is not None}
    if len(asked) > 1:
        raise ConfigError("a study runs in one place", where=Location(f"--{', --'.join(asked)}"))
    for name, address in asked.items():
        said = f"executor {name!r}"
        make: Any = load_class(places()[name].path, Executor, said)
        found: Executor[Job, Answer] = make(address)
        return found
    if workers is None:
        workers = processors() if points is None else max(1, min(processors(), points))
    if workers < 1:
        raise ConfigError(f"{workers} workers cannot do anything", where=Location("--workers"))
    return SerialExecutor() if workers == 1 else ProcessExecutor(workers)


def processors() -> int:
    """How many this process may use; one where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
