"""Which executor a study uses."""

from __future__ import annotations

import os
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.study.executors.base import Executor


def executor(
    workers: int | None = 1, dask: str | None = None, points: int | None = None
) -> Executor[Any]:
    """The executor for ``workers`` processes, or for the cluster whose scheduler is at ``dask``.

    ``None`` workers are as many as the machine has processors, but no more than ``points``.

    Raises:
        ConfigError: fewer than one worker.
        MissingExtraError: a cluster is wanted and distributed is not installed.
    """
    if dask is not None:
        from hetsim.study.executors.cluster import ClusterExecutor

        return ClusterExecutor(dask)
    if workers is None:
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        workers = max(1, min(workers, points if points is not None else workers))
    if workers < 1:
        raise ConfigError(f"{workers} workers cannot do anything", where=Location("--workers"))
    if workers == 1:
        from hetsim.study.executors.serial import SerialExecutor

        return SerialExecutor()
    from hetsim.study.executors.processes import ProcessExecutor

    return ProcessExecutor(workers)
