"""Two networks side by side on a Xavier: their plans, their times, and the checks' rows.

The measured table does not ship; what tests put in its place is made up, or made by hetsim.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from hetsim.cost.measured.fit import alone_s
from hetsim.errors import ConfigError
from hetsim.executors.serial import SerialExecutor
from hetsim.plan.validate import validate_plan
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Setting
from hetsim.validate.checks.haxconn.corun import Xavier, plain, plan_of
from hetsim.validate.checks.haxconn.memory import utilisation
from hetsim.validate.checks.haxconn.networks import network
from hetsim.validate.checks.haxconn.pairs import DLA, GPU, PAIRS, POLICIES, Engine, Told
from hetsim.validate.checks.haxconn.profiles import profiles
from hetsim.validate.checks.haxconn.table import TABLE, Measured
from hetsim.validate.limits import read_limits
from hetsim.validate.outcome import Outcome
from hetsim.validate.registry import find_checks
from hetsim.validate.run import run_checks
from hetsim.validate.tables import Tables

ENGINES = sorted(
    {
        engine
        for told in PAIRS.values()
        for p in told.values()
        for term in p.terms
        for engine in term
    },
    key=str,
)
GROUPS = {"0-9": 0.3, "10-80": 0.9, "81-140": 0.7}
WHOLE = {"googlenet_gpu": 2.2, "googlenet_dla": 4.4}
DOCUMENT = {
    "googlenet_layer_groups": list(GROUPS), "gpu_ms": list(GROUPS.values()), "whole_ms": WHOLE,
    "two_dnn_ms": {pair: dict.fromkeys(POLICIES, 10.0) for pair in PAIRS},
    "conv_memory_utilisation": [
        {"input_nchw": [1, 64, 56, 28], "out_channels": 64, "kernel": 3, "pad": 1,
         "memory_controller_utilisation": 0.5},
    ],
}  # fmt: skip
MEASURED = Measured.model_validate(DOCUMENT)


@cache
def xavier() -> Xavier:
    return Xavier()


def test_the_units_are_as_fast_as_their_maker_says() -> None:
    soc = load_soc("jetson-xavier")
    gpu, dla = soc.by_name[GPU].spec, soc.by_name[DLA].spec
    tensor = gpu.matrix.macs_per_cycle["float16"] * gpu.cores * gpu.point.clock  # type: ignore[attr-defined]
    assert 2 * tensor == pytest.approx(11e12, rel=0.03)
    assert 2 * 2 * dla.multipliers * dla.point.clock == pytest.approx(11.4e12, rel=0.01)
    assert soc.by_name[DLA].spec.model_dump() == soc.by_name["dla1"].spec.model_dump()


@pytest.mark.parametrize(
    ("name", "macs", "parameters"),
    # Caffe's published networks, but for the head of VGG-19: 25088 x 100 and 100 x 100.
    [("googlenet", 1.58e9, 6.99e6), ("alexnet", 0.7244e9, 60.97e6), ("vgg19", 19.51e9, 22.54e6)],
)
def test_networks_are_those_of_the_authors(name: str, macs: float, parameters: float) -> None:
    graph = network(name)
    assert graph.macs == pytest.approx(macs, rel=0.002)
    assert graph.parameters == pytest.approx(parameters, rel=0.002)


def test_layers_have_the_numbers_that_groups_and_cuts_are_told_by() -> None:
    names = [op.name for op in network("googlenet").operators]
    assert len(names) == 141
    assert (names[9], names[10], names[80], names[124]) == ("pool2", "3a.1", "4c.output", "5b.1")
    assert [op.name for op in network("alexnet").operators][16] == "relu6"
    assert [op.name for op in network("vgg19").operators][9] == "pool2"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_a_cut_network_is_a_plan_that_runs_all_of_it(engine: Engine) -> None:
    graph = network(engine.network)
    plan = plan_of(engine, graph)
    validate_plan(plan, graph, xavier().soc)
    assert plan.partitions[0].pu == engine.first
    if engine.cut:
        assert engine.cut not in plan.partitions[0].operators
        assert plan.partitions[1].pu != engine.first
        assert set(engine.early) <= set(plan.partitions[0].operators)


def test_a_softmax_falls_back_to_the_gpu() -> None:
    plan = plan_of(Engine("alexnet", DLA), network("alexnet"))
    assert [(p.pu, len(p.operators)) for p in plan.partitions] == [(DLA, 20), (GPU, 1)]


def test_on_one_gpu_the_longer_network_ends_with_all_the_work() -> None:
    one, other = Engine("alexnet", GPU), Engine("googlenet", GPU)
    short, long = xavier().together(one, other)
    alone = xavier().alone(one)
    assert short == pytest.approx(alone, rel=0.02)
    work = sum(xavier().work(xavier().program(engine), GPU) for engine in (one, other))
    # Beside their kernels there are two calls, two completions, and inputs to be brought in.
    assert work < long < work + 1.5e-4
    assert xavier().together(other, one) == (long, short)


@pytest.mark.slow
def test_a_unit_each_costs_little_more_than_alone() -> None:
    one, other = Engine("alexnet", GPU), Engine("googlenet", DLA)
    for engine, seconds in zip((one, other), xavier().together(one, other), strict=True):
        assert xavier().alone(engine) <= seconds < 1.25 * xavier().alone(engine)
    free = Xavier(contention=False).together(one, other)
    assert free[0] < xavier().together(one, other)[0]


def test_a_dla_ends_what_it_has_begun() -> None:
    # The other network has less work on the GPU, so it goes first there, and only there.
    engine = Engine("googlenet", DLA, "4d.1")
    other = Engine("alexnet", GPU, "norm1")
    seconds, late = xavier().together(engine, other)
    assert seconds == pytest.approx(xavier().alone(engine), rel=0.05)
    assert late > xavier().work(xavier().program(engine), DLA)


def test_what_is_told_is_the_larger_or_the_sum() -> None:
    engines = (Engine("alexnet", GPU), Engine("googlenet", DLA))
    terms = (engines, engines[::-1])
    both = xavier().together(*engines)
    assert xavier().told(Told(terms)) == max(both)
    assert xavier().told(Told(terms, add=True)) == sum(both)


@pytest.mark.slow
def test_measured_groups_come_out_as_measured() -> None:
    known = Xavier(profiles(MEASURED))
    engine = Engine("googlenet", GPU)
    place = {op.name: i for i, op in enumerate(network("googlenet").operators)}
    (job,) = known.program(engine).jobs
    scale = WHOLE["googlenet_gpu"] / sum(GROUPS.values())
    for group, measured in GROUPS.items():
        first, last = map(int, group.split("-"))
        inside = [x.work for x in job.launches if first <= place[x.operators[0]] <= last]
        seconds = sum(alone_s(work, known.soc.by_name[GPU].home) for work in inside)
        # Kernels of equal shape in two groups have one time, the median of theirs.
        assert seconds * 1e3 == pytest.approx(measured * scale, rel=0.03)
    for unit, whole in ((GPU, "googlenet_gpu"), (DLA, "googlenet_dla")):
        assert known.work(known.program(plain(engine, unit)), unit) * 1e3 == pytest.approx(
            WHOLE[whole], rel=0.03
        )


@pytest.mark.parametrize("group", ["11-11", "9-3", "141-160"])
def test_a_group_without_a_kernel_is_told(group: str) -> None:
    layers = [*list(GROUPS)[:2], group]
    with pytest.raises(ConfigError, match=r"no kernel of googlenet begins in layers \d+ to \d+"):
        profiles(Measured.model_validate(DOCUMENT | {"googlenet_layer_groups": layers}))


def test_a_convolution_that_repeats_asks_less_the_larger_its_kernel() -> None:
    shares = [utilisation(xavier(), (1, 64, 112, 112), 64, k, 1) for k in (1, 2, 3, 4, 5)]
    assert shares == sorted(shares, reverse=True)
    # Bound by its bytes, it takes what the memory reaches.
    assert shares[0] == pytest.approx(xavier().soc.spec.memory["dram"].efficiency[0])  # type: ignore[index]
    assert shares[-1] < 0.4


def test_what_a_long_convolution_asks_is_its_bytes_and_those_around_it() -> None:
    channels, rows, columns = 64, 112, 112
    made = channels * (rows - 2) * (columns - 2)
    read, weights = channels * rows * columns, channels * channels * 25
    gpu = xavier().soc.by_name[GPU]
    # Float16 in the convolution, float32 outside; a change and a copy on either side.
    around = (4 + 2) * (read + made)
    moved = 2 * (read + made + weights + channels) + around + 8 * (read + made)
    share = utilisation(xavier(), (1, channels, rows, columns), channels, 5, 1)
    seconds = moved / share / 136.5e9
    conv = seconds - around / gpu.bandwidth - 2 * gpu.spec.dispatch
    macs = made * channels * 25
    assert macs / conv == pytest.approx(
        0.398 * 512 * 8 * gpu.spec.point.clock, rel=0.1
    )  # the fitted share of the tensor cores, but for tiles that do not fit


def outcome(name: str, data: Path | None) -> Outcome:
    setting = Setting(Tables(data))
    (found,) = run_checks(find_checks([name]), setting, read_limits(), SerialExecutor())
    return found


@pytest.mark.parametrize("name", ["haxconn", "haxconn-memory"])
def test_without_the_table_a_check_says_what_it_needs(name: str) -> None:
    found = outcome(name, None)
    assert found.verdict == "not run"
    assert f"{TABLE} does not ship" in found.reason
    assert "--data" in found.reason


@pytest.mark.slow
def test_rows_are_the_tables_beside_hetsims(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(json.dumps(DOCUMENT), encoding="utf-8")
    found = outcome("haxconn", tmp_path)
    assert [(row.group, row.name) for row in found.rows] == [
        (pair, policy) for pair in PAIRS for policy in POLICIES
    ]
    assert {row.reference for row in found.rows} == {0.01}
    known = Xavier(profiles(MEASURED))
    for row in found.rows[:3]:
        assert row.simulated == known.told(PAIRS[row.group][row.name])
    (row,) = outcome("haxconn-memory", tmp_path).rows
    assert (row.group, row.name, row.reference) == ("64x56x28", "3x3", 0.5)
    assert row.simulated == utilisation(xavier(), (1, 64, 56, 28), 64, 3, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gpu_ms": [0.3, 0.9]}, "2 times in 'gpu_ms' for 3 groups"),
        ({"gpu_ms": [0.3, -0.9, 0.7]}, r"gpu_ms\[1\]: -0.9 is out of range"),
        ({"googlenet_layer_groups": ["0-9", "10", "81-140"]}, r"googlenet_layer_groups\[1\]"),
        ({"two_dnn_ms": {}}, "nothing of 'googlenet\\+resnet101' under 'only_gpu'"),
        ({"whole_ms": {"googlenet_gpu": 2.2}}, "googlenet_dla"),
    ],
)
def test_a_table_that_is_not_whole_is_told_with_its_place(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    (tmp_path / TABLE).write_text(json.dumps(DOCUMENT | change, indent=1), encoding="utf-8")
    for name in ("haxconn", "haxconn-memory"):
        found = outcome(name, tmp_path)
        assert found.verdict == "failed"
        assert re.search(told, found.reason), found.reason
        assert re.search(rf"{TABLE}:\d+:\d+", found.reason)
