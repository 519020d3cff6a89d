"""Plans survive the trip to YAML and back, and bad files are located."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.errors import PlanError
from hetsim.plan.files import dump_plan, load_plan, parse_plan, plan_json_schema
from hetsim.plan.model import Partition, Plan, Proof
from hetsim.workload.rewrite import Rewrite

NAMES = st.text(min_size=1, max_size=12) | st.sampled_from(
    [
        "1e9",
        "0x10",
        "yes",
        "null",
        "~",
        "2001-01-01",
        "a: b",
        "- x",
        "1_000",
        "é",
        "#",
        "<<",
        "1:30",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PARTITIONS = st.builds(
    Partition, NAMES, NAMES, st.lists(NAMES, min_size=1, max_size=4).map(tuple), st.booleans()
)
REWRITES = st.builds(
    Rewrite, st.just("merge"), st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    st.lists(NAMES, max_size=2).map(tuple), st.none(),
) | st.builds(
    Rewrite, st.just("pad"), NAMES.map(lambda name: (name,)), st.just(()),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)  # fmt: skip
PLANS = st.builds(
    Plan,
    model=NAMES,
    partitions=st.lists(PARTITIONS, min_size=1, max_size=4).map(tuple),
    parallel_groups=st.lists(st.lists(NAMES, max_size=3).map(tuple), max_size=2).map(tuple),
    scheduler=NAMES,
    parameters=st.dictionaries(NAMES, VALUES, max_size=3),
    predicted_s=st.none() | st.floats(min_value=1e-9, max_value=1e3),
    details=st.dictionaries(NAMES, VALUES, max_size=2),
    rewrites=st.lists(REWRITES, max_size=2).map(tuple),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(PLANS)
def test_round_trip(plan):
    back = parse_plan(dump_plan(plan))
    assert back.partitions == plan.partitions
    assert back.parallel_groups == plan.parallel_groups
    assert back.rewrites == plan.rewrites
    assert (back.model, back.scheduler) == (plan.model, plan.scheduler)
    assert back.parameters == plan.parameters
    assert back.details == plan.details
    if plan.predicted_s is None:
        assert back.predicted_s is None
    else:
        assert back.predicted_s == pytest.approx(plan.predicted_s, rel=1e-15)


def test_the_text_is_what_a_person_would_write():
    plan = Plan(
        "net",
        (Partition("p0", "cpu", ("a", "b")), Partition("p1", "npu", ("c",), fuse=False)),
        (("p0", "p1"),),
        "heft",
        {"x": (1, 2)},
        1.5e-3,
    )
    assert dump_plan(plan) == (
        "hetsim: plan/1\n"
        "model: net\n"
        "scheduler: heft\n"
        "parameters:\n"
        "  x:\n"
        "    - 1\n"
        "    - 2\n"
        "predicted_us: 1500.0\n"
        "partitions:\n"
        "  - name: p0\n"
        "    pu: cpu\n"
        "    operators:\n"
        "      - a\n"
        "      - b\n"
        "  - name: p1\n"
        "    pu: npu\n"
        "    operators:\n"
        "      - c\n"
        "    fuse: false\n"
        "parallel_groups:\n"
        "  - [p0, p1]\n"
    )


def test_what_yaml_would_take_for_something_else_is_quoted():
    plan = Plan(
        "1e9", (Partition("1_0", "é", ("bell\a", "plain")),),
        parameters={"far": float("inf"), "near": -float("inf"), "set": {"b", "a"}, "one": 1.0,
                    "own": np.int64(3), "path": PurePosixPath("a/b")},
        proof=Proof(2.5e-6, "exact"), memories={"t": "sram"},
        rewrites=(Rewrite("merge", ("a", "b"), ("Relu",)), Rewrite("pad", ("c",), (), (3, 1))),
    )  # fmt: skip
    assert dump_plan(plan) == (
        "hetsim: plan/1\n"
        "model: '1e9'\n"
        "scheduler: by hand\n"
        "parameters:\n"
        "  far: .inf\n"
        "  near: -.inf\n"
        "  set:\n"
        "    - a\n"
        "    - b\n"
        "  one: 1.0\n"
        "  own: 3\n"
        "  path: a/b\n"
        "rewrites:\n"
        "  - kind: merge\n"
        "    operators:\n"
        "      - a\n"
        "      - b\n"
        "    tail: [Relu]\n"
        "  - kind: pad\n"
        "    operators:\n"
        "      - c\n"
        "    kernel: [3, 1]\n"
        "partitions:\n"
        "  - name: '1_0'\n"
        "    pu: é\n"
        "    operators:\n"
        '      - "bell\\a"\n'
        "      - plain\n"
        "memories:\n"
        "  t: sram\n"
        "proof:\n"
        "  lower_bound_us: 2.5\n"
        "  by: exact\n"
    )


def test_plans_are_keys_whatever_their_parameters_hold():
    def made() -> Plan:
        return Plan("m", (Partition("p", "cpu", ("a",)),), parameters={"x": [1]},
                    details={"y": {}}, memories={"a.out": "dram"})  # fmt: skip

    assert {made(): 1}[made()] == 1


MINIMAL = "hetsim: plan/1\nmodel: m\npartitions:\n  - {name: p, pu: cpu, operators: [a]}\n"


def test_minimal_file(tmp_path):
    file = tmp_path / "plan.yaml"
    file.write_text(MINIMAL)
    plan = load_plan(file)
    assert plan == Plan("m", (Partition("p", "cpu", ("a",)),))
    assert plan.predicted_s is None


def test_what_was_proven_stays_with_the_plan() -> None:
    plan = Plan("m", (Partition("p", "cpu", ("a",)),), proof=Proof(0.0025, "exact"))
    text = dump_plan(plan)
    assert "proof:\n  lower_bound_us: 2500.0\n  by: exact\n" in text
    assert parse_plan(text) == plan


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (MINIMAL.replace("pu: cpu", "pus: cpu"), "plan.yaml:4", "did you mean 'pu'"),
        (MINIMAL.replace("plan/1", "plan/2"), "plan.yaml:1:9", "plan/1"),
        (MINIMAL.replace("[a]", "[]"), "plan.yaml:4", "operators"),
        (MINIMAL.replace("[a]", "[a"), "plan.yaml:", "YAML"),
        (MINIMAL.replace("name: p,", "name: '',"), "plan.yaml:4", "name"),
        (MINIMAL[: MINIMAL.index("\n  -")] + " []\n", "plan.yaml:3", "partitions"),
        (MINIMAL + "rewrites: [{kind: merge, operators: []}]\n", "plan.yaml:5", "operators"),
        (MINIMAL + "predicted_us: -1\n", "plan.yaml:5", "-1"),
        (MINIMAL + "model: n\n", "plan.yaml:5:1", "repeated"),
        (MINIMAL + "proof: {lower_bound_us: 0, by: x}\n", "plan.yaml:5", "lower_bound_us"),
        (MINIMAL + "proof: {lower_bound_us: 1}\n", "plan.yaml:5", "by"),
        ("", "plan.yaml", "empty"),
    ],
)
def test_faults_are_located(tmp_path, text, place, words):
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    with pytest.raises(PlanError) as caught:
        load_plan(file)
    assert place in str(caught.value)
    assert words in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(PlanError, match="no such file"):
        load_plan(tmp_path / "none.yaml")


def test_schema_names_every_field():
    schema = plan_json_schema()
    assert {"hetsim", "model", "partitions", "parallel_groups", "predicted_us"} <= set(
        schema["properties"]
    )
    assert schema["additionalProperties"] is False
