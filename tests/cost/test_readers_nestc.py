"""Profiles of NEST-C: what they say arrives, what they cannot say is told."""

from __future__ import annotations

import math

import pytest

from hetsim.cost.measured.files import dump_profile, parse_profile
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.nestc import TRANSFERS, group_key, nestc_key, write
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.errors import ConfigError
from hetsim.workload.zoo import load_model
from tests.cost.foreign import RESNET, kinds, store


def test_nestc_keys_are_those_of_the_format():
    conv = next(op for op in RESNET.operators if op.kind == "Conv" and op.nest.in_c == 64)
    shape = RESNET.tensors[conv.inputs[0]].shape
    assert nestc_key(RESNET, conv) == (
        f"Convolution-1-{shape[2]}-{shape[3]}-64-float-{conv.nest.out_c}-{conv.nest.k_h}-"
        f"{conv.nest.stride_h}"
    )
    gemm = next(op for op in RESNET.operators if op.kind == "Gemm")
    assert nestc_key(RESNET, gemm) == "Gemm-1-512-float"


def test_nestc_round_trip_keeps_every_time(tmp_path):
    rows = [(RESNET, (op,), 1e-6 * (i + 1)) for i, op in enumerate(RESNET.operators)]
    conv = RESNET.operators[0]
    relu = RESNET.operators[RESNET.consumers[conv.outputs[0]][0]]
    pool = RESNET.operators[RESNET.consumers[relu.outputs[0]][0]]
    rows += [(RESNET, (conv, relu), 5e-3), (RESNET, (relu,), math.inf)]
    rows += [(RESNET, (conv, relu, pool), 7e-3)]
    written = write("VTA", rows)
    path = store(tmp_path, "vta.yaml", written.text)
    (table,) = import_profiles("nestc", Request((path,), (RESNET,)))
    assert (table.device, table.scope) == ("VTA", "partition")
    assert "missing operators" not in kinds(table)
    assert "communication" not in kinds(table)  # nobody copied anything
    joined = " + ".join(operator_key(RESNET, op) for op in (conv, relu))
    assert table.entries[joined].seconds == pytest.approx(5e-3)
    longer = f"{joined} + {operator_key(RESNET, pool)}"
    assert table.entries[longer].seconds == pytest.approx(7e-3)
    gemm = next(op for op in RESNET.operators if op.kind == "Gemm")
    at = RESNET.operators.index(gemm)
    assert table.entries[operator_key(RESNET, gemm)].seconds == pytest.approx(1e-6 * (at + 1))
    assert math.isinf(table.entries[operator_key(RESNET, relu)].seconds)


def test_nestc_collisions_missing_operators_and_odd_values_are_told(tmp_path):
    graph = load_model("alexnet")
    clash: dict[str, set[str]] = {}
    for op in graph.operators:
        clash.setdefault(nestc_key(graph, op), set()).add(operator_key(graph, op))
    key = next(k for k, own in clash.items() if len(own) > 1)  # Gemm: its width is not in the key
    conv = nestc_key(graph, graph.operators[0])
    relu = nestc_key(graph, graph.operators[1])
    text = (
        f"---\nbackendName: CPU\n{key} : 120\n{conv} : 0\n{relu} : fast\n"
        "Convolution-9-9-9-9-float-9-9-9 : 1\ncommCost: 3\n...\n"
    )
    path = store(tmp_path, "cpu.yaml", text)
    (table,) = import_profiles("nestc", Request((path,), (graph,), device="A53"))
    assert table.device == "A53"
    assert len(table) == len(clash[key])
    found = kinds(table)
    for kind in ("key collision", "time not positive", "not a number", "unknown keys",
                 "communication", "missing operators"):  # fmt: skip
        assert kind in found, kind
    collision = next(d for d in table.doubts if d.kind == "key collision")
    assert str(collision).startswith(f"{path}:3")
    assert operator_key(graph, graph.operators[0]) not in table.entries


def test_nestc_needs_a_network_and_something_to_use(tmp_path):
    path = store(tmp_path, "a.yaml", "Relu-1-8-float : 3\n")
    with pytest.raises(ConfigError, match="--model"):
        import_profiles("nestc", Request((path,)))
    with pytest.raises(ConfigError, match="no time could be used"):
        import_profiles("nestc", Request((path,), (RESNET,)))
    other = store(tmp_path, "b.yaml", f"Type: Comm\n{group_key(RESNET, RESNET.operators[:1])}: x\n")
    with pytest.raises(
        ConfigError, match=r"no time could be used\n.*b\.yaml:2:.*'x' is not a time"
    ):
        import_profiles("nestc", Request((other,), (RESNET,)))


def nestc(tmp_path, *texts, **request):
    paths = [store(tmp_path, f"{i}.yaml", text) for i, text in enumerate(texts)]
    return import_profiles("nestc", Request(tuple(paths), (RESNET,), **request))


def test_nestc_transfers_join_the_times_of_their_backend(tmp_path):
    conv, relu = RESNET.operators[0], RESNET.operators[1]
    keys = [nestc_key(RESNET, op) for op in (conv, relu)]
    times = f"backendName: CPU\n{keys[0]}: 147000\n{keys[1]}: 900\n"
    copies = f"---\nType: CommTime\nbackendName: CPU\n{keys[0]}: 406\nNobody-1-float: 3\n...\n"
    elsewhere = f"Type: CommTime\nbackendName: VTA\n{keys[0]}: 0\n{keys[1]}: INFINITY\n"
    cpu, vta = nestc(tmp_path, times, copies, elsewhere)
    entry = cpu.entries[operator_key(RESNET, conv)]
    assert (entry.seconds, entry.transfer_s) == pytest.approx((0.147, 406e-6))
    assert cpu.entries[operator_key(RESNET, relu)].transfer_s is None
    told = [str(doubt) for doubt in cpu.doubts]
    assert any("1 operators and groups have a time and no measured transfer" in t for t in told)
    assert any(t.startswith(f"{tmp_path / '1.yaml'}") and "Nobody" in t for t in told)
    (alone,) = vta.entries.values()
    assert (alone.seconds, alone.transfer_s) == (None, 0.0)
    told = [str(doubt) for doubt in vta.doubts]
    assert any("have a measured transfer and no time" in t for t in told)
    assert any("2.yaml:4" in t and "INFINITY is no time" in t for t in told)


def test_nestc_transfers_as_the_compiler_writes_them(tmp_path):
    """Its main writes a bare ``CommTime``, which is no YAML; places stay those of the file."""
    key = nestc_key(RESNET, RESNET.operators[0])
    (table,) = nestc(tmp_path, f"---\nCommTime\nbackendName: CPU\n{key} : 406\n{key}x : 1\n...\n")
    assert table.entries[operator_key(RESNET, RESNET.operators[0])].transfer_s == 406e-6
    assert table.entries[operator_key(RESNET, RESNET.operators[0])].where.line == 4


def test_nestc_one_transfer_for_a_backend_is_that_of_every_operator(tmp_path):
    key = nestc_key(RESNET, RESNET.operators[0])
    (told,) = nestc(tmp_path, f"commCost: 0.5\nbackendName: VTA\n{key}: 25\n")
    assert [e.transfer_s for e in told.entries.values()] == [0.5e-6]
    assert any("one number for every operator" in str(doubt) for doubt in told.doubts)
    (template,) = nestc(tmp_path, f"commCost: 0.0\nbackendName: VTA\n{key}: 25\n")
    assert [e.transfer_s for e in template.entries.values()] == [None]
    assert any("not a measurement" in str(doubt) for doubt in template.doubts)


def test_nestc_transfers_make_a_round_trip(tmp_path):
    rows = [(RESNET, (op,), 1e-6 * (i + 1)) for i, op in enumerate(RESNET.operators[:6])]
    (table,) = nestc(tmp_path, write("CPU", rows, TRANSFERS).text)
    again = parse_profile(dump_profile(table))
    wanted = {operator_key(RESNET, op): seconds for _, (op,), seconds in rows}
    for found in (table, again):
        assert {key: entry.transfer_s for key, entry in found.entries.items()} == pytest.approx(
            wanted
        )
        assert all(entry.seconds is None for entry in found.entries.values())


def whole(tmp_path, unit=None, censored="keep"):
    """Six operators in whole numbers, one of them 1, as the authors' older profiles are."""
    numbers = [147, 1, 12, 72, 1, 39]
    seen: dict[str, int] = {}
    for op, number in zip(RESNET.operators, numbers, strict=False):
        seen.setdefault(nestc_key(RESNET, op), number)
    lines = [f"{key}: {number}" for key, number in seen.items()]
    text = "\n".join(["backendName: CPU", *lines, ""])
    (table,) = nestc(tmp_path, text, unit=unit, censored=censored)
    return table


@pytest.mark.parametrize(("unit", "scale"), [(None, 1e-6), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)])
def test_nestc_times_are_in_the_unit_that_the_user_says(tmp_path, unit, scale):
    entry = whole(tmp_path, unit).entries[operator_key(RESNET, RESNET.operators[0])]
    assert entry.seconds == pytest.approx(147 * scale)
    assert (entry.spread_s is None) == (scale < 1e-3)


@pytest.mark.parametrize(("unit", "step"), [("ms", 1e-3), ("s", 1.0)])
def test_whole_units_are_intervals_and_ones_are_censored(tmp_path, unit, step):
    keys = [operator_key(RESNET, op) for op in RESNET.operators[:2]]
    kept = whole(tmp_path, unit).entries
    long, short = (kept[key] for key in keys)
    # Uniform between 146.5 and 147.5, and between 0 and 1.5: the quartiles of each.
    assert (long.seconds, long.spread_s) == pytest.approx((147 * step, 0.25 * step))
    assert (short.seconds, short.spread_s) == pytest.approx((0.75 * step, 0.375 * step))
    dropped = whole(tmp_path, unit, "drop")
    assert keys[0] in dropped.entries
    assert keys[1] not in dropped.entries
    (told,) = [doubt.message for doubt in dropped.doubts if doubt.kind == "coarse times"]
    name = RESNET.operators[1].name
    assert f"are below 1.5 {unit} and left to the model: resnet18:{name}" in told


def test_dropping_what_is_not_censored_is_told(tmp_path):
    assert "coarse times" not in kinds(whole(tmp_path))
    (told,) = [d.message for d in whole(tmp_path, "us", "drop").doubts if d.kind == "coarse times"]
    assert "none is censored" in told
