"""What decides: exact on a grid, honest about surrogates, blind to who tried what when."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from hetsim.report.page.charts import Bars
from hetsim.study.axes import parse_axis
from hetsim.study.explore.deciding import basis, deciding_table, together
from hetsim.study.explore.importance import importance
from hetsim.study.explore.report import explore_files
from hetsim.study.explore.space import scale_of
from hetsim.study.explore.study import explore
from hetsim.study.sweep.study import sweep
from tests.study.samples import loaded, priced

SRAM, CLOCK, CORES = (
    parse_axis("npu.sram=64KiB..1MiB:log2"), parse_axis("bus.clock=40MHz..320MHz"),
    parse_axis("cpu.cores=1,2,4"),
)  # fmt: skip
MODE = parse_axis("npu.host_wait=poll,interrupt,other")


def rows(function, count, axes, seed=0):
    """``count`` random designs and the function of their shares along the axes."""
    rng = np.random.default_rng(seed)
    found = []
    for shares in rng.random((count, len(axes))):
        values = {a.path: a.at(float(share)) for a, share in zip(axes, shares, strict=True)}
        number = [
            a.values.index(values[a.path]) if a.stepped else float(str(values[a.path]).split()[0])
            for a in axes
        ]
        found.append((values, float(function(*number))))
    return found


def slow(sram, clock, cores):
    """A kink between memory and arithmetic; cores do nothing."""
    return max(1000.0 / clock, 8.0 / 2**sram)


def test_a_complete_grid_is_divided_exactly_and_idle_cores_have_nothing():
    steps = parse_axis("bus.clock=40,80,160,320MHz")
    axes = (SRAM, steps, CORES)
    grid = [
        ({a.path: v for a, v in zip(axes, cell, strict=True)},
         slow(SRAM.values.index(cell[0]), float(str(cell[1]).split()[0]), cell[2]))
        for cell in itertools.product(*(a.values for a in axes))
    ]  # fmt: skip
    found = importance(axes, grid, physical=True)
    table = np.array([value for _, value in grid]).reshape(5, 4, 3)
    logs = np.log(table)
    assert found.r2 is None
    assert found.effect["cpu.cores"] == pytest.approx(0.0, abs=1e-12)
    # Six digits are kept.
    alone, total = (logs.mean(axis=axes).var() / logs.var() for axes in ((1, 2), (0, 2)))
    assert found.alone["npu.sram"] == pytest.approx(alone, abs=1e-6)
    assert found.total["npu.sram"] == pytest.approx(1 - total, abs=1e-6)
    assert found.means["bus.clock"] == pytest.approx(np.exp(logs.mean(axis=(0, 2))), rel=1e-5)
    assert sum(found.effect.values()) == pytest.approx(1.0)
    cells = deciding_table("latency_ms", found).rows
    assert [cells[-1][0], *cells[-1][1:]] == ["cpu.cores", "0%", "0%", "–", "–"]
    assert "exact: all 60 designs are known" in basis("latency_ms", found)


def test_a_few_designs_tell_what_the_whole_range_does():
    axes = (SRAM, CLOCK, CORES)
    found = importance(axes, rows(slow, 60, axes), physical=True)
    clocks = 40 + 280 * (np.arange(200) + 0.5) / 200
    logs = np.log([[slow(s, c, 0) for c in clocks] for s in range(5)])
    assert found.r2 > 0.9
    assert found.effect["cpu.cores"] < 2e-3
    for i, path in enumerate(("npu.sram", "bus.clock")):
        alone = logs.mean(axis=1 - i).var() / logs.var()
        total = 1 - logs.mean(axis=i).var() / logs.var()
        assert found.alone[path] == pytest.approx(alone, abs=0.04)
        assert found.effect[path] == pytest.approx((alone + total) / 2, abs=0.04)


def test_an_interaction_is_named_with_what_it_depends_on():
    axes = (SRAM, parse_axis("bus.clock=40,320MHz"))
    grid = [
        ({"npu.sram": s, "bus.clock": c}, 4.0 if k else 20.0 - 3.0 * i)
        for i, s in enumerate(SRAM.values) for k, c in enumerate(axes[1].values)
    ]  # fmt: skip
    [sentence] = together("latency_ms", importance(axes, grid, physical=True))
    assert sentence.startswith(
        "npu.sram matters only where bus.clock is 40 MHz: from 64 KiB to 1 MiB latency goes"
        " 20 → 8 ms there, 4 → 4 ms where it is 320 MHz ("
    )


def test_categories_have_no_order():
    axes = (MODE, SRAM)
    found = importance(
        axes, rows(lambda mode, sram: (1.0, 5.0, 2.0)[mode] + 0.1 * sram, 30, axes), physical=False
    )
    assert found.r2 is None or found.r2 > 0.95
    assert next(iter(found.effect)) == "npu.host_wait"
    assert dict(zip(found.values["npu.host_wait"], found.means["npu.host_wait"], strict=True))[
        "interrupt"
    ] == pytest.approx(5.2, abs=0.1)


def test_values_with_which_nothing_runs_are_left_out():
    """Nobody knows what a SoC that cannot be built would take."""
    axes = (MODE, CORES, SRAM)
    grid = [
        ({a.path: v for a, v in zip(axes, cell, strict=True)}, 3.0 + SRAM.values.index(cell[2]))
        for cell in itertools.product(("poll",), CORES.values, SRAM.values[1:])
    ]
    found = importance(axes, grid, physical=True)
    assert found.r2 is None, "what runs is a complete grid"
    assert found.values["npu.host_wait"] == ("poll",)
    assert found.values["npu.sram"] == tuple(map(str, SRAM.values[1:]))
    assert found.effect == {"npu.sram": 1.0, "npu.host_wait": 0.0, "cpu.cores": 0.0}
    some = importance(axes, grid[:-1], physical=True)
    assert some.r2 is not None
    assert some.effect["npu.sram"] > 0.99
    assert max(some.means["npu.sram"]) == pytest.approx(7.0, rel=0.1)


def test_a_range_is_averaged_over_its_whole_length():
    scale = scale_of(CLOCK)
    assert scale.nodes.mean() == pytest.approx(0.5)
    assert scale.position("40 MHz") == 0.0
    assert scale.position("320 MHz") == 1.0
    assert scale.position("110 MHz") == pytest.approx(0.25)


def test_very_many_steps_are_averaged_over_a_few():
    scale = scale_of(parse_axis("cpu.cores=1..9999"))
    assert len(scale.nodes) == 32
    assert not scale.finite
    assert scale.nodes.mean() == pytest.approx(0.5, abs=1e-3)
    assert scale.position(1) == 0.0
    assert scale.position(9999) == 1.0
    assert scale.texts[0] == "157"


@pytest.mark.slow
def test_below_the_limit_nothing_is_told_and_the_page_says_why():
    rng = np.random.default_rng(4)
    axes = (SRAM, CLOCK, CORES)
    noise = [(values, float(rng.random())) for values, _ in rows(slow, 40, axes)]
    found = importance(axes, noise, physical=False)
    assert not found.effect
    assert found.r2 < 0.5
    assert "and 80% are needed to believe it" in basis("area", found)
    few = importance(axes, rows(slow, 6, axes), physical=True)
    assert (few.effect, few.missing) == ({}, 4)
    assert "6 designs are too few to tell; about 4 more may be enough" in basis("latency_ms", few)


def test_no_more_designs_are_asked_for_than_there_are():
    axes = (parse_axis("npu.sram=64KiB,128KiB"), parse_axis("cpu.cores=1,2,4"))
    grid = [
        (dict(zip(("npu.sram", "cpu.cores"), values, strict=True)), 1.0 + number)
        for number, values in enumerate(itertools.product(*(axis.values for axis in axes)))
    ]
    few = importance(axes, grid[:4], physical=True)
    assert "about 2 more may be enough" in basis("latency_ms", few)
    assert importance(axes, grid, physical=True).r2 is None  # and they are


@pytest.mark.slow
def test_how_many_more_it_takes_is_about_right():
    def wavy(sram, clock, cores):
        return math.sin(clock / 9.0) + 0.3 * sram

    axes = (SRAM, CLOCK, CORES)
    for count in range(20, 200, 10):
        found = importance(axes, rows(wavy, count, axes), physical=False)
        if found.effect:
            break
        promised = None if found.missing is None else count + found.missing
    assert promised is not None
    assert count / 2.5 <= promised <= count * 2.5


def test_what_is_the_same_everywhere_has_no_reason():
    found = importance((SRAM,), rows(lambda sram: 3.0, 12, (SRAM,)), physical=True)
    assert "every design has the same" in basis("latency_ms", found)


@pytest.mark.slow
def test_neither_order_nor_repetition_of_designs_counts():
    axes = (SRAM, CLOCK, CORES)
    tried = rows(slow, 40, axes)
    once = importance(axes, tried, physical=True)
    assert importance(axes, [*reversed(tried), *tried[:20]], physical=True) == once


@pytest.mark.slow
def test_area_divides_as_the_soc_file_adds_it_up(tmp_path):
    scenario = priced(tmp_path)
    axes = [
        parse_axis("npu.sram=32KiB..512KiB:log2"), parse_axis("npu.array.columns=4,8,16"),
        parse_axis("bus.clock=20MHz,40MHz,80MHz,160MHz"),
    ]  # fmt: skip
    study = explore(scenario, axes, minimise=["latency_ms", "area"], trials=40, sampler="random")
    found = study.importance["area"]
    # Each axis moves one term, or terms that no other moves: variances add up.
    spread = {}
    for axis in axes:
        areas = [o.metrics["area"] for _, o in sweep(scenario, [axis]).rows]
        spread[axis.path] = float(np.var(areas))
    whole = sum(spread.values())
    assert found.r2 > 0.999
    assert found.effect == pytest.approx({p: v / whole for p, v in spread.items()}, abs=2e-3)
    page, files = explore_files(study, timelines=0)
    [what] = [section for section in page.sections if section.title == "What decides"]
    charts = [chart for chart in what.charts if isinstance(chart, Bars)]
    assert [chart.title for chart in charts] == ["What decides latency", "What decides area"]
    bars = charts[1].bars
    assert [bar.label for bar in bars] == list(found.effect)
    assert [bar.segments[-1].end for bar in bars] == pytest.approx(
        [100 * share for share in found.effect.values()], abs=1e-3
    )
    assert "R² 1.00 on held-out ones" in charts[1].shows
    assert not [name for name in files if name.startswith("design-")]


@pytest.mark.slow
def test_a_parameter_without_effect_gets_none(tmp_path):
    axes = [parse_axis("bus.clock=1MHz..100MHz:log2:9"), parse_axis("runtime.thread_join=1us..9us")]
    study = explore(loaded(tmp_path), axes, trials=30, sampler="random")
    found = study.importance["latency_ms"]
    assert found.effect["bus.clock"] > 0.999
    assert found.effect["runtime.thread_join"] < 1e-3
