"""Measuring this machine from end to end: bandwidth, cuts, company, and every network."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hetsim.errors import ConfigError
from hetsim.host.bandwidth import Bandwidth, measure_bandwidth
from hetsim.host.company import measure_company
from hetsim.host.cuts import measure_cuts
from hetsim.host.describe import HostMeasurements
from hetsim.host.engines.base import Engine
from hetsim.host.machine import Machine
from hetsim.host.measure import NetworkTimes, measure_network
from hetsim.host.network import Network
from hetsim.progress import Progress


def survey(
    machine: Machine,
    networks: Sequence[Network],
    threads: Sequence[int],
    engine: Engine,
    *,
    warmup: int = 3,
    repeats: int = 30,
    progress: Progress | None = None,
) -> list[HostMeasurements]:
    """Measures the machine with workers of each number of ``threads``, in that order.

    Raises:
        ConfigError: more threads than this process may use cores.
        MissingExtraError: the engine is not installed.
        WorkloadError: it cannot run one of the networks.
    """
    cores = len(machine.cpus)
    for count in threads:
        if not 1 <= count <= cores:
            raise ConfigError(f"{count} threads were asked for; this process may use {cores} cores")
    version = engine.label
    done, total = 0, len(threads) * (len(networks) + 3)

    def tell(what: str) -> None:
        nonlocal done
        if progress is not None:
            progress(what, done, total)
        done += 1

    single: dict[str, float] = {}
    result = []
    for count in threads:
        tell(f"memory bandwidth, {count} thread(s) a worker")
        bandwidths = _bandwidths(machine, count)
        tell("cuts")
        cuts = measure_cuts(machine, count, engine)
        times: list[NetworkTimes] = []
        for network in networks:
            tell(f"{network.graph.name}, {count} thread(s)")
            times.append(
                measure_network(
                    network, engine, cpus=machine.cpus[:count], warmup=warmup, repeats=repeats
                )
            )
        if count == 1:
            single = {t.network.graph.name: t.latency.median_s for t in times}
        tell("workers beside each other")
        company = measure_company(networks, machine, count, engine)
        result.append(
            HostMeasurements(
                machine, count, tuple(times), bandwidths, cuts, company,
                _speed(single, times) if count > 1 else None, version,
            )
        )  # fmt: skip
    return result


def _bandwidths(machine: Machine, threads: int) -> tuple[Bandwidth, ...]:
    """Of 1, 2, ... workers at once, as far as there are cores."""
    workers = max(1, len(machine.cpus) // threads)
    return tuple(measure_bandwidth(machine, count * threads) for count in range(1, workers + 1))


def _speed(single: dict[str, float], times: Sequence[NetworkTimes]) -> float | None:
    """How many times faster than one thread; geometric mean over networks."""
    logs = [
        math.log(single[t.network.graph.name] / t.latency.median_s)
        for t in times
        if t.network.graph.name in single
    ]
    return math.exp(sum(logs) / len(logs)) if logs else None
