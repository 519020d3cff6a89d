"""Measured kernels: simulated times that equal what was measured, and what stands in."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.analysis.sources import cost_sources, unmeasured
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain
from hetsim.cost.measured.files import dump_profile
from hetsim.cost.measured.fit import alone_s, fit
from hetsim.cost.measured.keys import (
    group_key,
    operator_key,
)
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.source import measured_model
from hetsim.cost.measured.table import Entry
from hetsim.cost.work import Kernel, Phase, Work
from hetsim.errors import ConfigError, InfeasibleError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Job, Launch, Program
from hetsim.runs.case import Case
from hetsim.runs.profile.simulated import SimulatedProfile
from hetsim.schedulers.registry import create
from hetsim.sim.simulate import execute
from hetsim.soc.loader import load_soc
from hetsim.workload.zoo import load_model
from tests.cost.samples import table
from tests.sim.samples import plain_way

GRAPH = load_model("squeezenet")


SOC = load_soc("zcu102-vta")


def cost_chain(soc, tables):
    analytical = AnalyticalModel()
    return CostChain([measured_model(soc, tables, analytical), analytical])


def kernel_of(*names: str) -> Kernel:
    return Kernel.of(GRAPH, tuple(GRAPH.operator(name) for name in names))


def first(kind: str) -> str:
    return next(op.name for op in GRAPH.operators if op.kind == kind)


def simulated(work: Work, pu: int) -> float:
    job = Job("p", pu, (), (), (Launch("k", (), work),))
    return execute(SOC, Program("m", (job,), ((0,),)), trace=False).makespan_s


def chains() -> list[tuple[str, ...]]:
    conv = next(op for op in GRAPH.operators if op.kind == "Conv" and op.nest.in_c % 16 == 0)
    relu = GRAPH.operators[GRAPH.consumers[conv.outputs[0]][0]]
    return [(first("Conv"),), (first("Concat"),), (first("MaxPool"),), (conv.name, relu.name)]


@pytest.mark.parametrize("names", chains())
@pytest.mark.parametrize("seconds", [1e-9, 1e-7, 3e-5, 1e-3, 0.25])
@pytest.mark.parametrize("pu", [0, 1])
def test_a_measured_kernel_takes_its_measured_time_on_an_idle_soc(names, seconds, pu):
    kernel = kernel_of(*names)
    model = MeasuredModel(
        {SOC.pus[pu].cluster: table([Entry(group_key(GRAPH, kernel.operators), seconds)])},
        AnalyticalModel(),
    )
    try:
        AnalyticalModel().work(GRAPH, kernel, SOC.pus[pu])
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            model.work(GRAPH, kernel, SOC.pus[pu])
        return
    work = model.work(GRAPH, kernel, SOC.pus[pu])
    assert work is not None
    assert work.source == "measured"
    assert simulated(work, pu) == pytest.approx(seconds, rel=1e-9)
    assert model.work(GRAPH, kernel, SOC.pus[1 - pu]) is None


def test_bytes_stay_analytical_unless_the_measurement_refutes_them():
    kernel = kernel_of(first("Conv"))
    cpu = SOC.pus[0]
    base = AnalyticalModel().work(GRAPH, kernel, cpu)
    assert base is not None
    road = cpu.home
    slow = fit(base, 1.0, road, source="measured", note="")
    assert (slow.load_bytes, slow.store_bytes) == (base.load_bytes, base.store_bytes)
    quick = fit(base, 1e-6, road, source="measured", note="")
    assert quick.load_bytes < base.load_bytes
    assert "caches served" in quick.note


phases = st.lists(
    st.builds(
        lambda s, load, store, share: Phase("p", s, load, store, s * share),
        st.floats(0, 1e-2),
        st.integers(0, 10**7),
        st.integers(0, 10**7),
        st.sampled_from([0.0, 1.0]),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(phases, st.floats(0, 1e-4), st.floats(1e-9, 10.0), st.floats(0, 1e-6))
def test_any_work_can_be_bent_to_any_time(parts, dispatch, seconds, latency):
    work = Work(dispatch, sum(p.compute_s for p in parts), tuple(parts))
    road = plain_way(1e9, latency)
    bent = fit(work, seconds, road, source="measured", note="")
    assert alone_s(bent, road) == pytest.approx(seconds, rel=1e-9)
    assert all(p.seconds >= 0 and p.bytes >= 0 for p in bent.phases)
    assert bent.load_bytes <= work.load_bytes
    assert bent.store_bytes <= work.store_bytes


@pytest.mark.parametrize("soc", [SOC, load_soc("mobile-flagship")], ids=lambda soc: soc.name)
def test_a_partition_profile_holds_calls_and_crossings(soc):
    """What the simulator says of a partition, taken as a measurement, is simulated again.

    Results go back to the host, be it that the runtime always has them there or on the phone.
    """
    lowering = Lowering(GRAPH, soc, AnalyticalModel())
    profile = SimulatedProfile(lowering)
    pu = soc.by_name["npu"]
    ops = [i for i in range(len(GRAPH)) if math.isfinite(profile.time(i, pu.index))][:5]
    wanted = {i: 1.7 * profile.time(i, pu.index) for i in ops}
    entries = [Entry(operator_key(GRAPH, GRAPH.operators[i]), wanted[i]) for i in ops]
    case = Case(GRAPH, soc, cost_chain(soc, {"npu": table(entries, "partition")}))
    again = SimulatedProfile(case.lowering)
    keys = {operator_key(GRAPH, GRAPH.operators[i]): wanted[i] for i in ops}
    for i in ops:
        expected = keys[operator_key(GRAPH, GRAPH.operators[i])]
        assert again.time(i, pu.index) == pytest.approx(expected, rel=1e-6)


def test_a_time_shorter_than_what_it_holds_is_not_used_and_told():
    """A partition's time is its call, its crossings and the kernel; nothing is left of this one."""
    conv = chains()[3][0]
    key = operator_key(GRAPH, GRAPH.operator(conv))
    model = cost_chain(SOC, {"npu": table([Entry(key, 1e-6)], "partition")})
    assert model.notes() == []
    assert model.work(GRAPH, kernel_of(conv), SOC.by_name["npu"]).source == "analytical"
    (note,) = model.notes()
    assert "1 measured times are shorter than the call and the crossings that they hold" in note
    assert f"{conv} on npu, 1 of " in note


def test_nothing_is_left_of_a_time_that_is_all_call_and_crossings():
    conv, pu = chains()[3][0], SOC.by_name["npu"]
    held = {"npu": table([Entry(operator_key(GRAPH, GRAPH.operator(conv)), 5e-6)], "partition")}

    def left(around: float) -> float | None:
        model = MeasuredModel(held, AnalyticalModel(), lambda graph, kernel, pu: around)
        work = model.work(GRAPH, kernel_of(conv), pu)
        return work and alone_s(work, pu.home)

    assert left(3e-6) == pytest.approx(2e-6)
    assert left(5e-6) is None


def test_group_entries_are_used_and_heads_stand_in_for_missing_ones():
    conv, relu = chains()[3]
    pu = SOC.by_name["cpu"]
    alone, both = kernel_of(conv), kernel_of(conv, relu)
    head = Entry(group_key(GRAPH, alone.operators), 5e-3)
    group = Entry(group_key(GRAPH, both.operators), 6e-3)
    known = MeasuredModel({"cpu": table([head, group])}, AnalyticalModel())
    work = known.work(GRAPH, both, pu)
    assert work is not None
    assert work.source == "measured"
    assert simulated(work, 0) == pytest.approx(6e-3)
    guessed = MeasuredModel({"cpu": table([head])}, AnalyticalModel()).work(GRAPH, both, pu)
    assert guessed is not None
    assert guessed.source == "measured-head"
    assert simulated(guessed, 0) >= 5e-3 * (1 - 1e-12)  # the tail may be free, up to rounding


def test_what_cannot_run_is_infeasible_and_never_zero():
    kernel = kernel_of(first("Conv"))
    entry = Entry(group_key(GRAPH, kernel.operators), math.inf)
    model = MeasuredModel({"cpu": table([entry])}, AnalyticalModel())
    with pytest.raises(InfeasibleError, match="profile t"):
        model.work(GRAPH, kernel, SOC.by_name["cpu"])
    assert model.floor(GRAPH, GRAPH.index[kernel.head.name], SOC.by_name["cpu"]) == math.inf


def test_what_only_moves_bytes_may_take_no_time_where_they_can_stay_on_chip():
    """A concatenation has no arithmetic; a convolution keeps its share of what was measured."""
    soc = load_soc("edge-mcu")
    npu = soc.by_name["npu"]
    floors = {}
    for kind in ("Concat", "Conv"):
        kernel = kernel_of(first(kind))
        model = MeasuredModel(
            {"npu": table([Entry(group_key(GRAPH, kernel.operators), 5e-3)])}, AnalyticalModel()
        )
        floors[kind] = model.floor(GRAPH, GRAPH.index[kernel.head.name], npu)
    assert floors["Concat"] == 0.0
    assert 0.0 < floors["Conv"] <= 5e-3


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("share", [1, 2])
def test_no_plan_beats_the_bounds_of_a_measured_soc(factor, share):
    """Whatever was measured, whether all of it or every other operator."""
    analytical = SimulatedProfile(Lowering(GRAPH, SOC, AnalyticalModel()))
    tables = {}
    for pu in SOC.pus:
        entries = [
            Entry(operator_key(GRAPH, op), factor * analytical.chain_time([i], pu.index))
            for i, op in enumerate(GRAPH.operators)
            if i % share == 0 and math.isfinite(analytical.chain_time([i], pu.index))
        ]
        tables[pu.cluster] = table(entries)
    case = Case(GRAPH, SOC, cost_chain(SOC, tables))
    for name in ("cpu_only", "type_based", "heft"):
        run = case.run(name, create(name, {}))
        assert run.error is None
        assert run.makespan_s >= run.lower_bound_s * (1 - 1e-9)


@pytest.mark.slow
def test_reports_count_sources_and_name_what_is_worth_measuring():
    conv = GRAPH.operator(first("Conv"))
    case = Case(
        GRAPH, SOC, cost_chain(SOC, {"cpu": table([Entry(operator_key(GRAPH, conv), 1.0)])})
    )
    run = case.run("cpu_only", create("cpu_only", {}))
    shares = {part.source: part for part in cost_sources(run.operators)}
    assert 1.0 <= shares["measured-head"].seconds < 1.3
    assert shares["analytical"].kernels == len(run.operators) - 1
    assert sum(part.share for part in shares.values()) == pytest.approx(1.0)
    worst = unmeasured(run.operators, 3)
    assert [row.cost_source for row in worst] == ["analytical"] * 3
    rest = [row.alone_s for row in run.operators if row.cost_source == "analytical"]
    assert worst[0].alone_s == max(rest)


@pytest.mark.slow
def test_a_soc_that_names_a_profile_uses_it(tmp_path: Path):
    conv = GRAPH.operator(first("MaxPool"))
    file = tmp_path / "cpu.yaml"
    file.write_text(dump_profile(table([Entry(operator_key(GRAPH, conv), 0.5)])))
    plain = Case(GRAPH, SOC).run("cpu_only", create("cpu_only", {}))
    soc = load_soc("zcu102-vta", {"pus.cpu.profile": str(file)})
    measured = Case(GRAPH, soc).run("cpu_only", create("cpu_only", {}))
    assert measured.makespan_s > plain.makespan_s + 0.4
    gone = load_soc("zcu102-vta", {"pus.cpu.profile": "gone.yaml"})
    with pytest.raises(ConfigError, match=r"pus\.cpu\.profile: there is no file"):
        _ = Case(GRAPH, gone).cost_model


def test_a_measured_transfer_is_found_through_the_chain():
    """Of the unit that was asked, beside or without a time, and never made up."""
    conv, pool = first("Conv"), first("MaxPool")
    keys = {name: operator_key(GRAPH, GRAPH.operator(name)) for name in (conv, pool)}
    entries = [Entry(keys[conv], 1e-3, transfer_s=4e-4), Entry(keys[pool], None, transfer_s=2e-4)]
    chain = cost_chain(SOC, {"cpu": table(entries)})
    chain = CostChain([AnalyticalModel(), chain])
    asked = [GRAPH.index[conv], GRAPH.index[pool], GRAPH.index[first("Relu")]]
    assert [chain.transfer(GRAPH, op, SOC.pus[0]) for op in asked] == [4e-4, 2e-4, None]
    assert [chain.transfer(GRAPH, op, SOC.pus[1]) for op in asked] == [None] * 3
    model = chain.models[1].models[0]
    assert model.work(GRAPH, kernel_of(conv), SOC.pus[0]).source == "measured"
    assert model.work(GRAPH, kernel_of(pool), SOC.pus[0]) is None  # no time of its own


def test_a_measured_kernel_is_as_sure_as_its_measurements():
    conv = chains()[-1][0]
    whole, head = kernel_of(conv, first("MaxPool")), kernel_of(conv)
    key = group_key(GRAPH, head.operators)
    pu = load_soc("edge-dual").host

    def spread(kernel, *entries):
        model = MeasuredModel({pu.cluster: table(list(entries))}, AnalyticalModel())
        return model.work(GRAPH, kernel, pu).spread

    # Quartiles are 0.6745 standard deviations from the middle.
    assert spread(head, Entry(key, 1e-3, 20e-6)) == pytest.approx(0.02 / 0.6745)
    assert spread(head, Entry(key, 1e-3)) == 0.05
    times = [
        alone_s(AnalyticalModel().work(GRAPH, kernel, pu), pu.home) for kernel in (head, whole)
    ]
    tail = math.log(times[1] / times[0])
    assert tail > 0.0
    # Nobody measured the tail, which may be as wrong as it is long.
    assert spread(whole, Entry(key, 1e-3)) == pytest.approx(math.hypot(0.05, tail))
    assert AnalyticalModel().work(GRAPH, head, pu).spread is None
