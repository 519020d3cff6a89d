"""What-if tells hardware from scheduler: pooled plans, ranges, effects that no one would expect."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hetsim.analysis.attribution import attribute_by_unit
from hetsim.plan.model import Partition, Plan
from hetsim.runs.rows import case_of
from hetsim.scenario.loader import load_scenario
from hetsim.soc.sketch import Sketch, soc_text
from hetsim.study.point import PointBench
from hetsim.study.pool import EQUAL, PlanBench, Pool, Told
from hetsim.study.whatif.knobs import Change, Knob
from hetsim.study.whatif.noise import Column, Whisker, usual_loss, whisker
from hetsim.study.whatif.report import read
from hetsim.study.whatif.result import sentence
from hetsim.study.whatif.sensitivity import (
    NOTICED,
    Effect,
    Moved,
    Sensitivity,
    bottleneck,
    moved,
    moved_text,
)
from hetsim.study.whatif.study import whatif
from tests.study.samples import (
    BLOCK_4A,
    BLOCK_4E,
    BLOCK_5A,
    inception_block,
    loaded,
    small_scenario,
)

SECONDS = st.one_of(st.none(), st.floats(1e-3, 1.0))
TABLES = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(SECONDS, min_size=n, max_size=n), st.lists(SECONDS, min_size=n, max_size=n)
    )
)


@pytest.mark.slow
@given(TABLES, st.floats(0.0, 0.5))
def test_the_known_effect_is_inside_its_range(tables, loss):
    before, after = map(Column, tables)
    found = whisker(before, after, loss)
    if found is None:
        assert before.best_s is None or after.best_s is None
        return
    assert found.known == before.best_s / after.best_s
    assert found.known / (1 + loss) * (1 - 1e-9) <= found.low <= found.known <= found.high
    assert found.high <= found.known * (1 + loss) * (1 + 1e-9)


@pytest.mark.slow
@given(TABLES, st.floats(0.01, 0.3), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_plan_that_is_found_later_leaves_the_effect_in_its_range(tables, loss, place, answer):
    """If the new plan is as good as the rule assumes, and says what some good plan says."""
    before, after = map(Column, tables)
    found = whisker(before, after, loss)
    assume(found is not None)
    said = [
        before.times[i] / after.times[i]
        for i in {*before.near(loss), *after.near(loss)}
        if before.times[i] is not None and after.times[i] is not None
    ]
    assume(said)
    ratio = min(said) + answer * (max(said) - min(said))
    first = before.best_s * (1 / (1 + loss) + place * 0.3)
    then = first / ratio
    assume(then >= after.best_s / (1 + loss))
    least = min(_said(before, after, i) for i in before.near(loss))
    most = max(_said(before, after, i) for i in after.near(loss))
    assume(least <= ratio <= most)
    true = min(before.best_s, first) / min(after.best_s, then)
    assert found.low * (1 - 1e-9) <= true <= found.high * (1 + 1e-9)


def _said(before, after, plan):
    if before.times[plan] is None:
        return float("inf")
    return 0.0 if after.times[plan] is None else before.times[plan] / after.times[plan]


def test_plans_that_agree_leave_no_doubt():
    before, after = Column([1.0, 1.02, 1.04]), Column([0.8, 0.816, 0.832])
    found = whisker(before, after, 0.1)
    assert found == pytest.approx((1.25, 1.25, 1.25))


def test_plans_that_disagree_leave_a_range_that_the_usual_loss_and_the_bound_limit():
    # The first plan does not use what is changed, the second lives from it.
    before, after = Column([1.0, 1.01]), Column([1.0, 0.95])
    found = whisker(before, after, 0.02)
    assert found.known == pytest.approx(1 / 0.95)
    assert found.low == pytest.approx(1 / 0.95 / 1.02)  # the first plan would say 1
    assert found.high == pytest.approx(1.01 / 0.95)  # the second plan, before its like is found
    bounded = whisker(before, after, 0.02, bound_s=1.0)
    assert bounded.low == bounded.known  # nothing is faster before
    assert whisker(before, after, 0.2).low == pytest.approx(1.0)


def test_a_plan_that_does_not_fit_before_leaves_the_usual_loss():
    found = whisker(Column([1.0, None]), Column([1.0, 1.01]), 0.05)
    assert found == pytest.approx((1.0, 1.0, 1.05))
    assert whisker(Column([None]), Column([1.0]), 0.05) is None


def test_the_usual_loss_is_that_of_nine_in_ten():
    columns = [Column([1.0, 1.0 + i / 100], own=1) for i in range(1, 11)]
    assert usual_loss(columns) == pytest.approx(0.09)
    assert usual_loss([*columns, Column([1.0, None], own=1), Column([1.0])]) == pytest.approx(0.09)
    assert usual_loss([Column([1.0], own=0)]) == 0.0
    assert usual_loss([]) == 0.0


def effect(low: float, known: float, high: float, label: str = "x") -> Effect:
    return Effect(Change(label, {}, 2.0), Whisker(low, known, high), 1.0 / known)


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        ((1.02, 1.05, 1.06), "told"),
        ((0.9, 0.95, 0.99), "told"),
        ((1.0, 1.05, 1.06), "drowned"),
        ((0.97, 1.0, 1.0), "drowned"),
        ((1.0, 1.0005, 1.0009), "none"),
        ((1.0, 1.0, 1.0), "none"),
    ],
)
def test_only_a_range_that_leaves_the_base_stands_out(ratio, verdict):
    assert effect(*ratio).verdict == verdict


def test_what_the_scheduler_drowns_is_no_bottleneck():
    drowned = Sensitivity(Knob("a", "a", "1"), 1.0, more=effect(1.0, 1.5, 1.6))
    sure = Sensitivity(Knob("b", "b", "1"), 1.0, more=effect(1.05, 1.1, 1.2))
    knobs = [
        Sensitivity(Knob(s.knob.name, "", "1", more=s.more.change), 1.0, more=s.more)
        for s in (drowned, sure)
    ]
    assert bottleneck(knobs).knob.name == "b"
    assert bottleneck(knobs[:1]) is None
    assert (drowned.gain, sure.gain) == (1.0, 1.1)


def test_the_reason_names_the_parts_that_moved():
    parts = moved(
        {"cpu": {"compute": 8e-3, "bus_contention": 1e-3}},
        {"cpu": {"compute": 4e-3, "bus_contention": 2e-3}, "npu": {"dma_wait": 0.5e-3}},
    )
    assert parts == (
        Moved("cpu", "compute", pytest.approx(-4e-3)),
        Moved("cpu", "bus_contention", pytest.approx(1e-3)),
        Moved("npu", "dma_wait", pytest.approx(0.5e-3)),
    )
    assert moved_text(parts, -2.5e-3) == "cpu compute −4 of −2.5 ms"
    assert moved_text(parts, 2e-3) == "cpu bus contention +1, npu dma wait +0.5 of +2 ms"


def test_plans_are_the_same_whatever_their_partitions_are_called():
    def plan(*names: str, pu: str = "cpu", groups: bool = True) -> Plan:
        parts = tuple(Partition(n, pu, (f"op{i}",)) for i, n in enumerate(names))
        return Plan("m", parts, (names,) if groups else (), predicted_s=float(len(names[0])))

    pool = Pool()
    assert [pool.add((plan("a", "b"),), "x"), pool.add((plan("aa", "c"),), "y")] == [0, 0]
    assert pool.add((plan("a", "b", groups=False),), "y") == 1
    assert pool.add((plan("a", "b", pu="npu"),), "z") == 2
    assert pool.origins == ["x", "y", "z"]


SCENARIO = """\
hetsim: scenario/1
name: {soc}
soc: {soc}
models: [{model}]
schedulers: [{scheduler}]
execution: {execution}
"""


def study_of(
    tmp_path, soc, block, extent=14, *, scheduler="partition_tuner", execution="dataflow", only=()
):
    inception_block(tmp_path / "block.onnx", *block, extent)
    path, model = tmp_path / "s.yaml", "{path: block.onnx}"
    path.write_text(SCENARIO.format(soc=soc, model=model, scheduler=scheduler, execution=execution))
    return whatif(load_scenario(path), only=only)


def assert_monotone_or_explained(network):
    for s in network.sensitivities:
        for side in ("less", "more"):
            effect = getattr(s, side)
            if effect is None or effect.best_s is None:
                continue
            gain = network.base_s / effect.best_s - 1
            expected = gain >= -NOTICED if side == s.knob.better else gain <= NOTICED
            told = f"{s.knob.name} = {effect.change.label}"
            assert bool(effect.oddity) == (not expected), told
            assert effect.oddity == "" or ("same plan takes" in effect.oddity), told


@pytest.mark.slow
def test_a_narrower_port_is_not_blamed_for_a_worse_plan(tmp_path):
    """Planned anew, halving the NPU's port costs 42 %; with the plan kept, 2.7 %."""
    study = study_of(tmp_path, "mobile-flagship", BLOCK_4A, 8, only=["npu_port.width", "big clock"])
    [network] = study.networks
    found = {s.knob.name: s for s in network.sensitivities}
    port = found["npu_port.width"].less
    assert port.replanned_s > 1.03 * port.kept_s
    assert port.best_s <= port.kept_s * EQUAL
    assert 0.02 < 1 / port.ratio.known - 1 < 0.03
    assert network.loss > 0.02
    # A faster big cluster makes the scheduler's plan 36 % slower; what is left is drowned.
    clock = found["big clock"]
    assert clock.more.replanned_s > 1.05 * network.base_s
    assert clock.more.best_s <= network.base_s * EQUAL
    assert clock.verdict == "drowned"
    assert "big clock (" in " ".join(
        line for line in study_lines(study) if "does not drown" in line
    )
    assert_monotone_or_explained(network)


def study_lines(study):
    from hetsim.report.page.whatif import remarks

    return [line for network in read(study).networks for line in remarks(network)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("soc", "block", "scheduler", "execution", "only"),
    [
        ("zcu102-vta", BLOCK_4E, "partition_tuner", "barrier", ["npu", "runtime"]),
        ("edge-mcu", BLOCK_5A, "heft", "dataflow", ["npu.dma", "bus", "cpu"]),
        ("zcu102-2vta", BLOCK_4A, "profile_greedy", "dataflow", ["dram", "cci", "npu0.crossing"]),
    ],
)
def test_no_size_helps_in_both_directions_unexplained(
    tmp_path, soc, block, scheduler, execution, only
):
    study = study_of(tmp_path, soc, block, scheduler=scheduler, execution=execution, only=only)
    [network] = study.networks
    assert network.plans > 1, "else the scheduler has nothing to stumble over"
    assert_monotone_or_explained(network)
    for s in network.sensitivities:
        for effect in s.effects:
            if effect.best_s is not None:
                assert network.base_s >= effect.best_s * effect.ratio.known * (1 - 1e-9)
                for other in (effect.replanned_s, effect.kept_s):
                    assert other is None or effect.best_s <= other * EQUAL
    assert network.bound_s <= network.base_s * EQUAL
    assert sentence(network, study.soc)


@pytest.mark.slow
def test_an_effect_that_no_one_expects_is_explained_with_one_plan(tmp_path, monkeypatch):
    """Times are inverted: what is better takes longer, with every plan."""
    import hetsim.study.subject as pool

    real = pool.seconds_of

    def inverted(case, plan):
        seconds = real(case, plan)
        return None if seconds is None else 1e-4 / seconds

    monkeypatch.setattr(pool, "seconds_of", inverted)
    [network] = whatif(loaded(tmp_path), only=["bus.clock"]).networks
    [clock] = network.sensitivities
    assert "bus.clock = 40 MHz saves, which one would not expect" in clock.less.oddity
    assert "bus.clock = 160 MHz costs, which one would not expect" in clock.more.oddity
    assert "same plan takes" in clock.less.oddity
    assert clock.gain == 1.0
    assert network.relief is None


@pytest.mark.slow
def test_kernels_that_fill_a_unit_worse_are_not_called_an_anomaly_of_order():
    """Everything runs on one unit, in one order: nothing could wait for something else."""
    scenario = load_scenario(
        "quickstart",
        {"soc": "phone-gpu-dsp", "models": ["shufflenet"], "schedulers": ["type_based"]},
    )
    [network] = whatif(scenario, only=["gpu.resident"]).networks
    [resident] = network.sensitivities
    for effect, word in ((resident.less, "less time"), (resident.more, "longer")):
        assert f"arithmetic of its kernels takes {word} there" in effect.oddity
        assert "Graham" not in effect.oddity


@pytest.mark.slow
def test_only_what_saves_as_much_would_do_as_well(tmp_path):
    """More SRAM saves little; other dataflows save nothing, and that is not about as much."""
    (tmp_path / "soc.yaml").write_text(soc_text(Sketch("chip")), encoding="utf-8")
    changes = {"soc": str(tmp_path / "soc.yaml"), "models": ["mobilenet_v2"]}
    scenario = load_scenario("quickstart", {**changes, "schedulers": ["type_based"]})
    study = whatif(scenario, only=["npu.array.dataflow", "npu.sram"])
    [network] = study.networks
    assert network.relief is not None
    assert network.relief.sensitivity.knob.name == "npu.sram"
    assert 1.0 < network.relief.sensitivity.gain < 1.01, "else nothing is tested here"
    assert "would do as well" not in sentence(network, study.soc)
    assert "MiB saves 0." in sentence(network, study.soc)


@pytest.mark.slow
@pytest.mark.parametrize("dies", [False, True])
def test_a_change_on_which_the_scheduler_fails_is_judged_by_other_plans(
    tmp_path, monkeypatch, dies
):
    scenario = load_scenario(small_scenario(tmp_path), {"soc": "edge-mcu"})
    real = PlanBench.evaluate

    def failing(self, job):
        if job.point.design.get("links.bus.clock") == "40000000.0 Hz":
            if dies:
                return self.lost(job, "a worker died")
            if not job.plans:
                return Told(error="scheduler fell over")
        return real(self, job)

    monkeypatch.setattr(PlanBench, "evaluate", failing)
    study = whatif(scenario, only=["bus.clock"])
    [clock] = study.networks[0].sensitivities
    assert clock.less.replanned_s is None
    told = " ".join(study_lines(study))
    if dies:
        assert clock.less.best_s is None
        assert "Not possible: bus.clock = 40 MHz (a worker died)." in told
    else:
        assert clock.less.best_s == clock.less.kept_s
        assert "Only by plans made for others: bus.clock = 40 MHz (scheduler fell over)." in told
    assert clock.more.ratio.known > 1.0


@pytest.mark.slow
def test_parts_by_unit_are_those_of_the_whole(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        SCENARIO.format(
            soc="zcu102-vta", model="squeezenet", scheduler="partition_tuner", execution="barrier"
        )
    )
    scenario = load_scenario(path)
    bench = PointBench.of(scenario)
    case = case_of(scenario, bench.graphs["squeezenet"])
    run = case.run("x", scenario.schedulers[0].create())
    program = case.lowering.program(run.plan)
    names = [pu.name for pu in case.soc.pus]
    found = attribute_by_unit(program, run.trace, names)
    assert {"cpu", "npu", "runtime"} == set(found)
    for part, seconds in run.attribution.items():
        own = sum(parts[part] for parts in found.values())
        assert own == pytest.approx(seconds, abs=1e-12), part
