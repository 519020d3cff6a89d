"""Performs the points of a study, whoever works and whatever is known already."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from hetsim.executors.base import Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.progress import Progress
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench
from hetsim.study.store import Store


def run_points(
    bench: PointBench,
    points: Sequence[Point],
    store: Store | Path | None = None,
    executor: Executor[Point, Outcome] | None = None,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Outcome], int]:
    """Outcomes of ``points`` in order, and how many of them the store knew.

    Points that mean the same run once; outcomes go to the store as they arrive. Without a store
    nothing is kept; without an executor everything runs in this process. The executor is started
    when something must run; stopping it is the caller's.

    Raises:
        ResultsError: the store cannot be used or written; what it held is intact.
        HetsimError: the workers are gone.
    """
    keys = [bench.key(point) for point in points]
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    known: dict[str, Outcome] = {}
    with contextlib.ExitStack() as stack:
        if isinstance(store, Path):
            store = stack.enter_context(Store(store, bench.scenario.name))
        if store is not None:
            if retry_failed:
                store.forget_failed()
            known = {key: found for key in first if (found := store.get(key)) is not None}
        reused = len(known)
        todo = [i for i in sorted(first.values()) if keys[i] not in known]

        def tell(what: str) -> None:
            if progress is not None:
                progress(what, len(known), len(first))

        tell(f"{reused} known already" if reused else "")
        if todo:
            chosen = executor if executor is not None else SerialExecutor[Point, Outcome]()
            chosen.ensure(bench)
            for i, outcome in chosen.perform((i, points[i]) for i in todo):
                if store is not None:
                    store.put(keys[i], points[i], outcome)
                known[keys[i]] = outcome
                tell(str(points[i]))
        return [known[key] for key in keys], reused
