"""Networks run for real, cut and uncut. Times are never compared: the machine may be busy."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from hetsim.errors import ConfigError, MissingExtraError, WorkloadError
from hetsim.host.cut import Cutter
from hetsim.host.describe import host_soc
from hetsim.host.engines.onnxruntime import OnnxRuntime
from hetsim.host.execute import BoundPlan
from hetsim.host.machine import this_machine
from hetsim.host.measure import entries_of, measure_network
from hetsim.host.network import load_network
from hetsim.host.session import open_session, runtime
from hetsim.host.verdict import TOLERANCE
from hetsim.host.verify import verify
from hetsim.host.workers import Piece, Team
from hetsim.plan.model import Partition, Plan
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from tests.host.networks import branches, made_up, small_network

ENGINE = OnnxRuntime()

try:
    import onnxruntime  # noqa: F401

    HERE = True
except ImportError:
    HERE = False
needs_runtime = pytest.mark.skipif(
    not HERE, reason="onnxruntime is not installed: pip install 'hetsim[measure]'"
)


def parallel_plan(network) -> Plan:
    """The two branches on two workers."""
    names = [op.name for op in network.graph.operators]
    left, right = names.index("left"), names.index("right")
    return Plan(
        network.graph.name,
        (
            Partition("head", "cpu.0", tuple(names[:left])),
            Partition("l", "cpu.0", (names[left],)),
            Partition("r", "cpu.1", (names[right],)),
            Partition("tail", "cpu.1", tuple(names[right + 1 :])),
        ),
    )


def test_a_missing_runtime_is_said_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        MissingExtraError, match=r"(?s)onnxruntime.*pip install 'hetsim\[measure\]'"
    ):
        runtime()


@pytest.mark.slow
def test_networks_are_named_filled_and_drawn_from_the_seed():
    network = load_network("squeezenet", seed=3)
    nodes = {node.name for node in network.model.graph.node}
    assert {op.name for op in network.graph.operators} <= nodes
    again = load_network("squeezenet", seed=3)
    other = load_network("squeezenet", seed=4)
    (name,) = network.feeds
    assert np.array_equal(network.feeds[name], again.feeds[name])
    assert not np.array_equal(network.feeds[name], other.feeds[name])
    weights = [t for t in network.model.graph.initializer if len(t.dims) == 4]
    assert len(weights) == sum(op.kind == "Conv" for op in network.graph.operators)


def test_slices_hold_every_operator_once_and_name_their_tensors():
    network = small_network()
    slices = Cutter(network).slices(parallel_plan(network))
    held = [
        node.name for part in slices for node in part.model.graph.node
        if node.name in network.graph.index
    ]  # fmt: skip
    assert sorted(held) == sorted(network.graph.index)
    assert [part.needs for part in slices] == [(), (0,), (0,), (1, 2)]
    assert slices[0].outputs == ("b",)
    assert set(slices[3].inputs) == {"c", "d"}


@needs_runtime
def test_a_cut_network_computes_what_the_uncut_one_does():
    network = small_network()
    cutter = Cutter(network)
    (output,) = network.graph.outputs
    feeds = {name: network.feeds[name] for name in network.graph.inputs}
    (right,) = open_session(cutter.whole(), "whole").run([output], feeds)
    cpus = this_machine().cpus
    cores = {"cpu.0": cpus[:1], "cpu.1": cpus[-1:]}
    bound = BoundPlan(parallel_plan(network), cutter, cores, feeds, ENGINE)
    with bound.team() as team:
        for _ in range(3):
            assert team.run().sample.wall_s > 0
            assert np.allclose(bound.values[output], right, rtol=0, atol=TOLERANCE)


def test_pieces_wait_for_what_they_need_and_run_on_their_worker():
    seen: list[tuple[int, str]] = []

    def piece(position: int, needs: tuple[int, ...]) -> Piece:
        def body() -> None:
            seen.append((position, threading.current_thread().name))

        return Piece(position, needs, body)

    plan = {0: [piece(0, ()), piece(3, (1, 2))], 1: [piece(1, (0,)), piece(2, (1,))]}
    cpus = this_machine().cpus
    with Team([cpus[:1], cpus[:1]], lambda worker: plan[worker], 4) as team:
        for _ in range(5):
            seen.clear()
            team.run()
            assert [position for position, _ in seen] == [0, 1, 2, 3]
            assert seen[0][1] == seen[3][1] != seen[1][1] == seen[2][1]


def test_an_error_in_a_piece_reaches_the_caller_and_nobody_hangs():
    def boom() -> None:
        raise WorkloadError("boom")

    plan = {0: [Piece(0, (), boom)], 1: [Piece(1, (0,), lambda: None)]}
    cpus = this_machine().cpus
    with (
        Team([cpus[:1], cpus[:1]], lambda worker: plan[worker], 2) as team,
        pytest.raises(WorkloadError, match="boom"),
    ):
        team.run()

    def fails(_worker):
        raise WorkloadError("no session")

    with pytest.raises(WorkloadError, match="no session"), Team([cpus[:1]], fails, 1):
        pass


@needs_runtime
def test_composed_latency_follows_the_plan():
    network = small_network()
    cores = {"cpu.0": (0,), "cpu.1": (1,)}
    feeds = {name: network.feeds[name] for name in network.graph.inputs}
    bound = BoundPlan(parallel_plan(network), Cutter(network), cores, feeds, ENGINE)
    assert bound.composed([1.0, 5.0, 2.0, 3.0]) == 1 + 5 + 3
    assert bound.composed([1.0, 2.0, 7.0, 3.0]) == 1 + 7 + 3
    wide = BoundPlan(
        parallel_plan(network), Cutter(network), {**cores, "cpu.1": (1, 2)}, feeds, ENGINE
    )
    assert wide.composed([1.0] * 4) is None


@needs_runtime
def test_an_operator_that_cannot_run_is_named():
    with pytest.raises(WorkloadError, match=r"cannot run operator NoSuchThing of tiny"):
        open_session(branches("NoSuchThing"), "tiny")


@needs_runtime
def test_every_operator_is_measured_and_they_make_up_the_latency():
    network = small_network()
    cpus = this_machine().cpus
    times = measure_network(network, ENGINE, cpus=cpus[:1], warmup=1, repeats=5)
    assert [name for group in times.kernels for name in group] == list(network.graph.index)
    assert not times.missing
    call = times.latency.median_s / 10
    costs = times.costs(call)
    assert all(seconds > 0 for seconds in costs.values())
    assert sum(costs.values()) == pytest.approx(times.latency.median_s - call)
    entries = entries_of([times], call)
    assert sum(len(entry.seen) for entry in entries) == len(network.graph)
    assert sum(e.seconds * len(e.seen) for e in entries) == pytest.approx(sum(costs.values()))


def test_verify_refuses_what_it_does_not_run():
    with pytest.raises(ConfigError, match="'barrier'"):
        verify(load_soc("zcu102-vta"), [], [], this_machine(), ENGINE, execution="barrier")


@pytest.mark.slow
@needs_runtime
def test_verify_runs_every_plan_and_checks_its_outputs(tmp_path):
    machine = this_machine()
    threads = max(1, len(machine.cpus) // 2)
    measured = made_up(threads=1 if threads == 1 else 2)
    (tmp_path / "host.yaml").write_text(host_soc(measured, "host", "p.yaml").replace(
        "    profile: p.yaml\n", ""))  # fmt: skip
    soc = load_soc(tmp_path / "host.yaml")
    if sum(pu.cores for pu in soc.pus) > len(machine.cpus):
        pytest.skip("this machine has a single core")
    made = [("heft", lambda: create("heft", {})), ("npu", lambda: create("npu_only", {}))]
    verdict = verify(
        soc, [small_network()], made, machine, ENGINE, rounds=2, warmup=1, patience_s=0.0
    )
    assert any("heft" in o.label for o in verdict.outcomes)
    assert [failure[1] for failure in verdict.failures] in ([], ["npu"])
    for o in verdict.outcomes:
        assert o.equal
        assert o.simulated_s > 0
        assert o.rounds == 2
