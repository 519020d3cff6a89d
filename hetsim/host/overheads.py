"""What running partitions costs besides their kernels: the call, and what neighbours take away."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

from hetsim.host.clock import undisturbed
from hetsim.host.execute import as_values
from hetsim.host.machine import Machine, pinned
from hetsim.host.measure import timed
from hetsim.host.network import Network
from hetsim.host.session import open_session
from hetsim.host.workers import Piece, Team

CHAIN = 64
"""Partitions in the chain whose calls are timed."""


def measure_call(machine: Machine, threads: int, repeats: int = 30) -> float:
    """Seconds that one more partition costs a worker: a chain of one-element models, each a call.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
    """
    import numpy as np
    from onnx import TensorProto, helper

    info = [helper.make_tensor_value_info(t, TensorProto.FLOAT, [1]) for t in ("x", "y")]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "call", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    def make(_worker: int) -> list[Piece]:
        pieces = []
        for i in range(CHAIN):
            session = open_session(model, "call", threads=threads)
            binding = session.io_binding()
            for name, value in as_values({t: np.ones(1, dtype=np.float32) for t in "xy"}).items():
                bind = binding.bind_ortvalue_input if name == "x" else binding.bind_ortvalue_output
                bind(name, value)
            needs = (i - 1,) if i else ()
            pieces.append(Piece(i, needs, partial(session.run_with_iobinding, binding)))
        return pieces

    with Team([machine.cpus[:threads]], make, CHAIN) as team:
        samples = [team.run().sample for _ in range(repeats)]
    return median(sample.wall_s for sample in undisturbed(samples)) / CHAIN


def measure_company(
    networks: Sequence[Network], machine: Machine, threads: int, *, level: str, repeats: int = 10
) -> float:
    """Share of its speed that a worker keeps while the others work: geometric mean over networks.

    Each turn runs a network alone, then beside copies of itself on the other workers. 1.0 when
    there is room for one worker only.
    """
    cpus = [
        machine.cpus[i : i + threads] for i in range(0, len(machine.cpus) - threads + 1, threads)
    ]
    if len(cpus) < 2:
        return 1.0
    logs = []
    for network in networks:
        alone, beside = _turns(network, cpus, threads, level, repeats)
        logs.append(math.log(min(1.0, median(alone) / median(beside))))
    return math.exp(sum(logs) / len(logs))


def _turns(
    network: Network, cpus: Sequence[Sequence[int]], threads: int, level: str, repeats: int
) -> tuple[list[float], list[float]]:
    go, stop = threading.Event(), threading.Event()
    ready = threading.Barrier(len(cpus))
    name = network.graph.name

    def neighbour(mine: Sequence[int]) -> None:
        with pinned(mine):
            session = open_session(network.model, name, threads=threads, level=level)
            ready.wait()
            while not stop.is_set():
                if go.wait(0.01):
                    session.run(None, network.feeds)

    others = [threading.Thread(target=neighbour, args=(c,), daemon=True) for c in cpus[1:]]
    for thread in others:
        thread.start()
    alone: list[float] = []
    beside: list[float] = []
    try:
        with pinned(cpus[0]):
            session: Any = open_session(network.model, name, threads=threads, level=level)
            ready.wait()
            timed(session, network.feeds)
            for _ in range(repeats):
                alone.append(timed(session, network.feeds, threads).own_s)
                go.set()
                timed(session, network.feeds)  # until the neighbours are well under way
                beside.append(timed(session, network.feeds, threads).own_s)
                go.clear()
                timed(session, network.feeds)  # until they have finished
    finally:
        stop.set()
        for thread in others:
            thread.join()
    return alone, beside
