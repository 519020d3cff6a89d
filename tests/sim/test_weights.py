"""Weights that stay in a unit from one inference to the next."""

from __future__ import annotations

import random

import pytest

from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.sim.caches import WeightMemory
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.soc.loader import load_soc
from hetsim.workload.zoo import load_model


def program_of(soc, name):
    case = Case(load_model(name), soc)
    return case.lowering.program(case.plan(create("npu_only", {})))


def carried(soc, *programs):
    """Bytes of the NPU's own port for programs one after the other, and each one's seconds."""
    trace = execute(soc, [Inference(p, 10.0 * i) for i, p in enumerate(programs)])
    took = [end - start for start, end in zip(trace.arrived, trace.finished, strict=True)]
    return trace.links["npu.dma"].bytes, took


def socs(size):
    plain = load_soc("edge-mcu")
    return plain, load_soc("edge-mcu", {"npu.weight_memory": size})


@pytest.mark.slow
def test_a_network_that_fits_reads_its_weights_once():
    plain, keeping = socs("8 MiB")
    program = program_of(plain, "resnet8")
    weights = sum(
        size
        for job in program_of(keeping, "resnet8").jobs
        for launch in job.launches
        for _, size in launch.touched.weights
    )
    assert weights > 50_000
    once, [alone] = carried(plain, program)
    moved, [first, second, third] = carried(keeping, *[program_of(keeping, "resnet8")] * 3)
    assert first == pytest.approx(alone)
    assert second == pytest.approx(third)
    assert second < first
    # Phases are spared whole bytes: a kernel of several loses the fractions.
    assert moved == pytest.approx(3 * once - 2 * weights, abs=2 * len(program.jobs[0].launches))


def test_a_network_that_does_not_fit_keeps_what_does():
    plain, keeping = socs("16 KiB")
    moved = [carried(soc, *[program_of(soc, "resnet8")] * 2)[0] for soc in (plain, keeping)]
    assert 0 < moved[0] - moved[1] <= 16 * 1024


@pytest.mark.slow
def test_networks_that_take_turns_reload_what_does_not_fit_beside_the_other():
    _, room_for_both = socs("8 MiB")
    _, room_for_one = socs("90 KiB")
    a, b = "resnet8", "ds_cnn"
    each = []
    for soc in (room_for_both, room_for_one):
        programs = {name: program_of(soc, name) for name in (a, b)}
        turns, _ = carried(soc, *(programs[name] for name in (a, b, a, b)))
        blocks, _ = carried(soc, *(programs[name] for name in (a, a, b, b)))
        each.append((turns, blocks))
    turns, blocks = each[0]
    assert turns == pytest.approx(blocks)
    turns, blocks = each[1]
    assert turns > blocks


def test_the_least_recently_used_network_is_given_up_as_a_whole():
    memory = WeightMemory(10)
    assert memory.touch("a", [("k", 4)]) == 0
    assert memory.touch("b", [("k", 4)]) == 0
    assert memory.touch("a", [("k", 4)]) == 4
    assert memory.touch("c", [("k", 3)]) == 0  # takes the place of b
    assert memory.touch("a", [("k", 4)]) == 4
    assert memory.touch("b", [("k", 4)]) == 0
    assert memory.touch("d", [("k", 11)]) == 0  # fits nowhere, takes nobody's place
    assert memory.touch("b", [("k", 4)]) == 4


def test_equal_names_of_two_networks_are_not_one_tensor():
    memory = WeightMemory(100)
    memory.touch("a", [("conv", 8)])
    assert memory.touch("b", [("conv", 8)]) == 0


def test_a_network_keeps_its_first_weights_until_there_is_no_room_and_the_rest_is_read():
    memory = WeightMemory(10)
    layers = [("k", 4), ("l", 5), ("m", 2), ("n", 1)]
    assert memory.touch("a", layers) == 0
    assert memory.touch("a", layers) == 10  # 4, 5 and 1: there was no room for the third
    assert memory.touch("a", layers) == 10
    assert memory.touch("b", [("k", 10)]) == 0  # the last byte counts
    assert memory.touch("b", [("k", 10)]) == 10
    assert memory.touch("a", layers) == 0


def test_room_is_taken_from_as_many_as_it_needs_and_never_from_oneself():
    memory = WeightMemory(10)
    for name in "abc":
        memory.touch(name, [("k", 3)])
    assert memory.touch("d", [("k", 4)]) == 0  # one byte is free, and a has three
    assert [memory.touch(name, [("k", 3)]) for name in "bc"] == [3, 3]
    assert memory.touch("b", [("k", 3), ("l", 7)]) == 3  # d goes, then c
    assert memory.touch("b", [("k", 3), ("l", 7)]) == 10
    assert memory.touch("c", [("k", 3)]) == 0
    assert memory.touch("b", [("k", 3)]) == 0
    assert memory.touch("c", [("k", 3)]) == 3


def test_a_memory_never_holds_more_than_it_has():
    draw = random.Random(3)
    memory, room = WeightMemory(20), 20
    for _ in range(300):
        memory.touch(draw.choice("abcd"), [(draw.choice("klmn"), draw.randint(1, 12))])
        held = [size for network in memory._held.values() for size in network.values()]
        assert sum(held) + memory._left == room
        assert memory._left >= 0
        assert sum(memory._taken.values()) == sum(held)
        assert list(memory._taken) == list(memory._held)
