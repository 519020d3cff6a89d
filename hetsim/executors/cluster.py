"""A Dask cluster (extra ``hetsim[cluster]``).

The bench travels as a worker plugin, so every worker gets it once, and workers that join later
get it too. When a worker dies, Dask gives its jobs to the others. Workers should have one thread
(``dask worker --nthreads 1``): simulation is computation, which threads of one process do not
speed up, and schedulers' time limits hold in a worker's main thread only, so on a cluster they
are not enforced.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import pickle
from collections.abc import Iterator
from typing import Any

from hetsim.errors import ConfigError, Location, MissingExtraError, ResultsError
from hetsim.executors.base import Answer, Bench, Executor, Job
from hetsim.version import version

CONNECT_S = 10.0
"""How long the cluster may take to answer, and then to have a worker."""


class ClusterExecutor(Executor[Job, Answer]):
    """The workers of the Dask scheduler at ``address``, such as ``tcp://10.0.0.1:8786``."""

    def __init__(self, address: str, timeout_s: float = CONNECT_S) -> None:
        """Notes the address.

        Raises:
            MissingExtraError: distributed is not installed.
        """
        try:
            import distributed  # noqa: F401
        except ImportError:
            raise MissingExtraError.for_extra("dask", "cluster", "a cluster") from None
        self.address = address
        self.timeout_s = timeout_s
        self._client: Any = None
        self._arrivals: Any = None
        self._name = ""
        self._bench: Bench[Job, Answer] | None = None
        self._running: dict[Any, tuple[int, Job]] = {}

    @property
    def slots(self) -> int:
        """Two for each thread of the cluster as it is now."""
        threads: dict[str, int] = {}
        if self._client is not None:
            with self._there():
                threads = self._client.nthreads()
        return max(2, 2 * sum(threads.values()))

    def start(self, bench: Bench[Job, Answer]) -> None:
        """Connects, waits for a worker, and sends the bench.

        Raises:
            ConfigError: nobody answers, no worker is there, workers with another hetsim.
        """
        self._bench = bench
        distributed = _distributed()
        # What goes wrong is told once, in our words; these would add a traceback for each task.
        for name in list(logging.root.manager.loggerDict):
            if name.partition(".")[0] in ("distributed", "asyncio", "tornado"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        where = Location(f"--dask {self.address}")
        try:
            self._client = distributed.Client(
                self.address, timeout=self.timeout_s, set_as_default=False
            )
            self._client.wait_for_workers(1, timeout=self.timeout_s)
        except (OSError, TimeoutError, ValueError) as error:
            self.stop()
            reason = "has no worker" if "worker" in str(error) else "cannot be reached"
            raise ConfigError(
                f"the cluster {reason} within {self.timeout_s:g} s: {error}",
                where=where,
                hint="start it with 'dask scheduler' and 'dask worker ADDRESS --nthreads 1'",
            ) from error
        from hetsim.executors.clusterworker import BenchPlugin

        self._arrivals = distributed.as_completed(loop=self._client.loop)
        content = pickle.dumps(bench)
        self._name = f"hetsim-{hashlib.sha256(content).hexdigest()[:16]}"
        try:
            self._client.register_plugin(BenchPlugin(content, version()), name=self._name)
        except Exception as error:
            self.stop()
            raise ConfigError(
                f"the workers of the cluster cannot run this study: {error}",
                where=where,
                hint=f"install hetsim {version()} and the same Python on all of them",
            ) from error

    def submit(self, number: int, job: Job) -> None:
        """Sends a job to the cluster."""
        from hetsim.executors.clusterworker import evaluate

        with self._there():
            future = self._client.submit(evaluate, self._name, job, pure=False, retries=3)
            self._running[future] = (number, job)
            self._arrivals.add(future)

    def wait(self) -> list[tuple[int, Answer]]:
        """Waits for answers.

        Raises:
            ResultsError: the cluster went away.
        """
        with self._there():
            done = self._arrivals.next_batch()
        return [self._answer(future) for future in done]

    def stop(self) -> None:
        """Cancels what is under way and disconnects; the cluster stays."""
        client, self._client = self._client, None
        if client is None:
            return
        with contextlib.suppress(Exception):  # it may be gone already
            if client.status == "running":
                client.cancel(list(self._running), force=True)
                client.unregister_worker_plugin(self._name)
        self._running.clear()
        client.close(timeout=5)

    def _answer(self, future: Any) -> tuple[int, Answer]:
        distributed = _distributed()
        number, job = self._running.pop(future)
        with self._there():
            try:
                return number, future.result()
            except distributed.scheduler.KilledWorker:
                pass
        assert self._bench is not None
        reason = "the workers that ran this point died (killed, out of memory)"
        return number, self._bench.lost(job, reason)

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        """Whatever goes wrong between us and the cluster, in words that tell what to do."""
        try:
            yield
        except Exception as error:
            told = " ".join(str(error).split())  # Dask's own messages may have several lines
            raise ResultsError(
                f"the cluster at {self.address} went away: {type(error).__name__}: {told}",
                hint="what is done is in the store; the same command goes on from there",
            ) from error


def _distributed() -> Any:
    """The library, whose annotations are too sparse to check against."""
    import distributed

    return distributed
