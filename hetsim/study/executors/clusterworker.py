"""What runs on the workers of a Dask cluster. Import only where distributed is installed."""

from __future__ import annotations

import pickle
import threading
from typing import Any

from distributed import WorkerPlugin, get_worker

from hetsim.study.point import Bench, Outcome, Point
from hetsim.version import version


class BenchPlugin(WorkerPlugin):
    """Puts the bench on each worker; checks that the worker has the same hetsim."""

    def __init__(self, content: bytes, version: str) -> None:
        """``content`` is the pickled bench, ``version`` that of the hetsim that sends it."""
        self.content = content
        self.version = version

    def setup(self, worker: Any) -> None:
        """Called on each worker, also on those that join later.

        Raises:
            RuntimeError: the worker has another hetsim.
        """
        if version() != self.version:
            raise RuntimeError(f"{worker.address} has hetsim {version()}")
        self.bench: Bench = pickle.loads(self.content)
        # One point at a time: threads of one process do not speed up computation.
        self.turn = threading.Lock()


def evaluate(name: str, point: Point) -> Outcome:
    """Performs a point on the bench that the plugin ``name`` brought here."""
    plugin: Any = get_worker().plugins[name]
    with plugin.turn:
        outcome: Outcome = plugin.bench.evaluate(point)
    return outcome
