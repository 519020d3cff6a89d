"""Measured profiles: keys, files, and simulated times that equal what was measured."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.analysis.sources import cost_sources, unmeasured
from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain
from hetsim.cost.measured.files import dump_profile, parse_profile, read_profile
from hetsim.cost.measured.fit import alone_s, fit
from hetsim.cost.measured.keys import (
    convolution_key,
    group_key,
    kinds_of,
    nests_of,
    operator_key,
)
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.peak import refuse_impossible
from hetsim.cost.measured.source import measured_model
from hetsim.cost.measured.table import Entry, ProfileTable
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
from tests.sim.samples import plain_way

GRAPH = load_model("squeezenet")
SOC = load_soc("zcu102-vta")


def cost_chain(soc, tables):
    analytical = AnalyticalModel()
    return CostChain([measured_model(soc, tables, analytical), analytical])


def table(entries: list[Entry], scope: str = "kernel") -> ProfileTable:
    return ProfileTable.of(entries, name="t", device="d", source="s", scope=scope)  # type: ignore[arg-type]


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


def test_a_partition_profile_holds_calls_and_crossings():
    """What the simulator says of a partition, taken as a measurement, is simulated again."""
    lowering = Lowering(GRAPH, SOC, AnalyticalModel())
    profile = SimulatedProfile(lowering)
    ops = [i for i in range(len(GRAPH)) if math.isfinite(profile.time(i, 1))][:5]
    wanted = {i: 1.7 * profile.time(i, 1) for i in ops}
    entries = [Entry(operator_key(GRAPH, GRAPH.operators[i]), wanted[i]) for i in ops]
    case = Case(GRAPH, SOC, cost_chain(SOC, {"npu": table(entries, "partition")}))
    again = SimulatedProfile(case.lowering)
    keys = {operator_key(GRAPH, GRAPH.operators[i]): wanted[i] for i in ops}
    for i in ops:
        expected = keys[operator_key(GRAPH, GRAPH.operators[i])]
        assert again.time(i, 1) == pytest.approx(expected, rel=1e-6)


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


def test_profiles_survive_the_round_trip(tmp_path: Path):
    entries = [
        Entry(operator_key(GRAPH, GRAPH.operators[0]), 1.25e-3, 2e-5, 30, ("a:b",)),
        Entry(operator_key(GRAPH, GRAPH.operators[1]), math.inf),
    ]
    whole = replace(table(entries, "partition"), remarks=("as found",))
    file = tmp_path / "p.yaml"
    file.write_text(dump_profile(whole))
    again = read_profile(file)
    assert list(again.entries) == list(whole.entries)
    for key, entry in whole.entries.items():
        read = again.entries[key]
        assert read.seconds == pytest.approx(entry.seconds, rel=1e-8)
        assert (read.samples, read.seen) == (entry.samples, entry.seen)
    assert (again.scope, again.remarks) == ("partition", ("as found",))


HEAD = "hetsim: profile/1\nname: n\ndevice: d\nsource: s\nscope: kernel\nentries:\n"
RELU = "Relu[1x8>1x8] float32"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (f"- operators: {RELU}\n  time_us: 0\n", "p:8:12: .*more than|greater than 0"),
        (f"- operators: {RELU}\n  time_us: -3.0\n", "p:8"),
        (f"- operators: {RELU}\n", "p:7:.*neither time_us nor transfer_us is given"),
        (f"- operators: {RELU}\n  time_us: 3 ms\n", "p:8"),
        (f"- operators: {RELU}\n  time_ms: 3.0\n", "p:8.*unknown field 'time_ms'"),
        ("- operators: Relu\n  time_us: 3.0\n", "p:7.*not an operator key"),
        (f"- operators: {RELU}\n  time_us: .nan\n", "p:8"),
    ],
)
def test_bad_entries_are_located(lines, told):
    with pytest.raises(ConfigError, match=rf"(?s){told}"):
        parse_profile(HEAD + lines, "p")


def test_repeats_that_disagree_are_told_with_their_lines():
    lines = "".join(f"- operators: {RELU}\n  time_us: {t}\n" for t in (1.0, 2.0, 9.0))
    read = parse_profile(HEAD + lines, "p")
    assert read.entries[RELU].seconds == pytest.approx(2e-6)
    (doubt,) = read.doubts
    assert doubt.kind == "repeats disagree"
    assert "line 7, line 9, line 11" in str(doubt)
    agreeing = "".join(f"- operators: {RELU}\n  time_us: {t}\n" for t in (1.0, 1.02))
    assert not parse_profile(HEAD + agreeing, "p").doubts


def test_keys_tell_apart_what_takes_different_time():
    """Equal keys mean equal loops; a foreign description of a convolution makes the same key."""
    for op in GRAPH.operators:
        key = operator_key(GRAPH, op)
        assert kinds_of(key) == (op.kind,)
        if op.kind == "Conv":
            shape = GRAPH.tensors[op.inputs[0]].shape
            out = GRAPH.tensors[op.outputs[0]].shape
            assert key == convolution_key(
                n=shape[0], c=shape[1], h=shape[2], w=shape[3], o=out[1],
                kernel=op.attributes["kernel_shape"],
                stride=op.attributes.get("strides", (1, 1)),
                pads=op.attributes.get("pads", (0, 0, 0, 0)),
                dilation=(1, 1), groups=1, dtype="float32",
            )  # fmt: skip
    groups: dict[str, set[object]] = {}
    for op in GRAPH.operators:
        groups.setdefault(operator_key(GRAPH, op), set()).add((op.kind, op.nest, op.element_ops))
    assert all(len(different) == 1 for different in groups.values())


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


def test_transfers_of_repeats_are_merged_and_their_disagreement_is_told():
    key = operator_key(GRAPH, GRAPH.operators[0])
    found = table(
        [Entry(key, 1.0), Entry(key, None, transfer_s=0.2), Entry(key, None, transfer_s=0.4)]
    )
    assert found.entries[key] == Entry(key, 1.0, transfer_s=pytest.approx(0.3))
    assert [d.message for d in found.doubts] == [
        f"2 measured transfers of {key} disagree (from 200000 to 400000 us); the median 300000 us"
        " is used"
    ]


def test_a_profile_file_keeps_transfers_and_refuses_an_entry_that_says_nothing():
    key = operator_key(GRAPH, GRAPH.operators[0])
    written = table([Entry(key, None, transfer_s=12e-6)])
    assert parse_profile(dump_profile(written)).entries[key].transfer_s == pytest.approx(12e-6)
    text = dump_profile(written)
    with pytest.raises(ConfigError, match=r"profile:7.*neither time_us nor transfer_us is given"):
        parse_profile(text.replace("  transfer_us: 12.0\n", ""))
    with pytest.raises(ConfigError, match=r"profile:8.*transfer_us.*-3"):
        parse_profile(text.replace("transfer_us: 12.0", "transfer_us: -3"))


def test_a_kernel_may_be_as_large_as_its_input_and_no_larger():
    def key(size: int) -> str:
        return convolution_key(
            n=1, c=4, h=3, w=3, o=6, kernel=(size, size), stride=(1, 1), pads=(0, 0, 0, 0),
            dilation=(1, 1), groups=1, dtype="int8",
        )  # fmt: skip

    [(nest, dtype)] = nests_of(key(3))
    assert (nest.out_h, nest.out_w, nest.macs, dtype) == (1, 1, 4 * 6 * 9, "int8")
    with pytest.raises(ValueError, match="a 4x4 kernel leaves no output of a 3x3 input"):
        key(4)


def test_nests_come_back_from_keys():
    """What a key says of its loops is what the operator has; a product's rows become its batch."""
    for name in ("squeezenet", "mobilenet_v2", "vit_b16"):
        graph = load_model(name)
        for op in graph.operators:
            found = nests_of(operator_key(graph, op))
            if op.nest is None:
                assert found == []
                continue
            [(nest, dtype)] = found
            assert (nest.macs, dtype) == (op.macs, op.dtype)
            if op.kind == "Conv":
                assert nest == op.nest
    assert nests_of("Conv[c64] float32") == []


LAYER = "Conv[n1 c64 h56 w56 o64 k{0} s{1} d1x1 g1 y56x56] float32"


@pytest.mark.parametrize(
    ("soc", "cluster", "key", "peak"),
    [
        # A core of 1.2 GHz, four products a cycle; by F(4x4, 3x3) a quarter of them is enough.
        ("zcu102-vta", "cpu", LAYER.format("1x1", "1x1"), 4.8e9),
        ("zcu102-vta", "cpu", LAYER.format("3x3", "1x1"), 4 * 4.8e9),
        ("zcu102-vta", "cpu", LAYER.format("3x3", "2x2"), 4.8e9),
        # A worker of four such cores, none of them held up by another.
        ("zcu102-vta-4t", "cpu", LAYER.format("1x1", "1x1"), 4 * 4.8e9),
        # 256 products a cycle at 333 MHz, the effective rate being lower.
        ("zcu102-vta", "npu", LAYER.format("3x3", "1x1"), 256 * 333e6),
    ],
)
def test_a_time_is_refused_exactly_above_the_peak(soc, cluster, key, peak):
    """By hand: more products a second than the description has multipliers times clock."""
    machine = load_soc(soc)
    [(nest, _)] = nests_of(key)
    least = nest.macs / peak
    refuse_impossible(table([Entry(key, least * 1.001)]), cluster, machine)
    with pytest.raises(ConfigError, match=f"more than the peak of {cluster}") as caught:
        refuse_impossible(table([Entry(key, least * 0.99)]), cluster, machine)
    assert f"{peak / 1e9:.4g} GMAC/s" in caught.value.message
    # What rounding left may have been as long as the end of its interval.
    refuse_impossible(table([Entry(key, least * 0.99, spread_s=least)]), cluster, machine)
    refuse_impossible(table([Entry(key, math.inf), Entry(RELU, 1e-12)]), cluster, machine)


def test_a_wrong_unit_is_told_where_the_profile_is_attached(tmp_path):
    key = LAYER.format("3x3", "1x1")
    entries = [Entry(RELU, 1e-3), Entry(key, 72e-6), Entry(f"{key} + {RELU}", 73e-6)]
    path = tmp_path / "p.yaml"
    path.write_text(dump_profile(table(entries)))
    soc = load_soc("zcu102-vta", {"pus.cpu.profile": str(path)})
    with pytest.raises(ConfigError) as caught:
        Case(GRAPH, soc).check()
    assert str(caught.value) == (
        f"{path}:9:3: {key}: 72 us are 1606 GMAC/s, more than the peak of cpu, 19.2 GMAC/s"
        " (1 more entries are too fast)\n  is the unit right? 72 ms would be 1.606 GMAC/s"
    )


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
