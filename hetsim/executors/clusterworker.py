"""What runs on the workers of a Dask cluster. Import only where distributed is installed."""

from __future__ import annotations

import pickle
import threading
from typing import Any

from distributed import WorkerPlugin, get_worker

from hetsim.executors.base import Bench
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
        self.bench: Bench[Any, Any] = pickle.loads(self.content)
        # One job at a time: threads of one process do not speed up computation.
        self.turn = threading.Lock()


def evaluate(name: str, job: Any) -> Any:
    """Carries out a job on the bench that the plugin ``name`` brought here."""
    plugin: Any = get_worker().plugins[name]
    with plugin.turn:
        return plugin.bench.evaluate(job)
