"""Whole networks with something wrong: each doubt is told with its place, and ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.calibrate.networks.agreement import agreement
from hetsim.calibrate.networks.cases import make_cases
from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.calibrate.networks.table import read_networks
from hetsim.cost.measured.table import Doubt
from hetsim.errors import ConfigError
from tests.calibrate.measured import library, lines, table


def doubts(tmp_path: Path, *rows: str, graphs: Path | None = None) -> dict[str, str]:
    found = make_cases(read_networks(table(tmp_path, *rows)), GraphLibrary(graphs))
    return {doubt.kind: str(doubt) for doubt in found.doubts}


GOOD = "resnet18,,float,D,qnn,NPU,1.0,50,"


def test_a_published_table_and_our_own_are_read_alike(tmp_path: Path) -> None:
    (row,) = read_networks(table(tmp_path, "resnet18,R,float,D,qnn,NPU,1.5,50,2"))
    assert (row.network, row.unit, row.latency_s) == ("resnet18", "npu", pytest.approx(1.5e-3))
    assert row.layers == {"npu": 50, "cpu": 2}


def test_good_rows_raise_no_doubt(tmp_path: Path) -> None:
    assert doubts(tmp_path, GOOD) == {}


@pytest.mark.parametrize(
    ("row", "kind", "told", "used"),
    [
        ("nobody,,float,D,qnn,NPU,1,,", "no graph", "nobody.onnx", 1),
        ("resnet18,,float,D,qnn,NPU,1,40,10", "several units", "40 on the npu, 10 on the cpu", 1),
        ("resnet18,,w8a8_mixed_fp16,D,qnn,NPU,1,50,", "precision", "not told", 1),
        ("resnet18,,w3a5,D,qnn,NPU,1,50,", "precision", "float, w8a8 or w8a16", 1),
        ("resnet50,,float,D,qnn,NPU,1,900,", "layers", "ran 900 layers", 1),
        ("resnet18,,float,D,qnn,NPU,2.1,50,", "repeated row", "1 ms in line 2", 2),
        ("resnet18,,float,D,onnx,NPU,2.1,50,", "runtimes", "1 ms under qnn in line 2", 2),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(
    tmp_path: Path, row: str, kind: str, told: str, used: int
) -> None:
    found = make_cases(read_networks(table(tmp_path, GOOD, row)), GraphLibrary())
    (doubt,) = found.doubts
    assert doubt.kind == kind
    assert "measured.csv:3:" in str(doubt)
    assert told in str(doubt)
    assert len(found.usable()) == used


def test_another_phase_or_batch_is_not_the_graph(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        "network,device,latency_ms,phase,tokens,precision\nresnet18,D,1,prompt,9,float\n"
    )
    found = make_cases(read_networks(path), GraphLibrary())
    assert [doubt.kind for doubt in found.doubts] == ["phase"]
    assert found.usable() == ()
    assert len(found.usable(doubtful=True)) == 1


MINE = "mine,Whole,float,D,qnn,NPU,1.0,50,"


def input_name() -> str:
    from hetsim.workload.networks import network_inputs

    return network_inputs("resnet18")[0]


@pytest.mark.parametrize(
    ("columns", "kind", "told"),
    [
        ({"input_shapes": "1x3x64x64"}, "input shapes", "1x3x64x64 where measured"),
        ({"params_info_M": "9.9"}, "parameters", "published are 9.9 M"),
    ],
)
def test_a_graph_that_is_not_what_was_measured_is_told_with_the_line_of_the_index(
    tmp_path: Path, columns: dict[str, str], kind: str, told: str
) -> None:
    if "input_shapes" in columns:
        columns = {"input_shapes": f"{input_name()}={columns['input_shapes']}"}
    rows = read_networks(table(tmp_path, MINE))
    found = make_cases(rows, GraphLibrary(library(tmp_path, **columns)))
    (doubt,) = found.doubts
    assert doubt.kind == kind
    assert "index.csv:2:" in str(doubt)
    assert told in str(doubt)
    assert found.usable() == ()


def test_a_row_without_a_component_is_held_to_the_only_one_of_the_index(tmp_path: Path) -> None:
    directory = library(tmp_path, component="Whole", params_info_M="9.9")
    row = MINE.replace("Whole", "")
    assert list(doubts(tmp_path, row, graphs=directory)) == ["parameters"]
    with (directory / "index.csv").open("a") as stream:
        stream.write("mine,r18.onnx,Head,9.9\n")
    with pytest.raises(ConfigError, match="mine: no graph"):  # which of the two?
        doubts(tmp_path, row, graphs=directory)


def test_an_index_that_agrees_raises_no_doubt(tmp_path: Path) -> None:
    same = {"input_shapes": f"{input_name()}=1x3x224x224;+2 more", "params_info_M": "11.7"}
    assert doubts(tmp_path, MINE, graphs=library(tmp_path, **same)) == {}


def test_a_graph_that_cannot_be_read_is_a_doubt_and_not_the_end(tmp_path: Path) -> None:
    found = doubts(tmp_path, MINE, "broken,,float,D,qnn,NPU,1,,", graphs=library(tmp_path))
    assert list(found) == ["graph unreadable"]
    assert "broken.onnx" in found["graph unreadable"]
    assert "1 rows without it" in found["graph unreadable"]


def test_files_are_found_by_their_names_without_an_index(tmp_path: Path) -> None:
    directory = library(tmp_path)
    (directory / "index.csv").unlink()
    (directory / "r18.onnx").rename(directory / "Mine--Head.onnx")
    rows = [MINE.replace("Whole", name) for name in ("head", "tail")]
    found = make_cases(read_networks(table(tmp_path, *rows)), GraphLibrary(directory))
    assert [case.row.component for case in found.cases] == ["head"]
    assert [row.component for row in found.without] == ["tail"]


@pytest.mark.parametrize(
    ("network", "gmacs"),
    [("resnet50", 4.089), ("resnext50", 4.230), ("googlenet", 1.498), ("inception_v3", 2.838)],
)
def test_published_names_are_what_torchvision_calls_so(network: str, gmacs: float) -> None:
    """The zoo calls other networks so: other strides, other pools, another size of image."""
    found = GraphLibrary().find(network, network.upper())
    assert not isinstance(found, Doubt)
    assert sum(op.macs for op in found.graph.operators) == pytest.approx(gmacs * 1e9, rel=1e-3)


def test_rows_that_may_not_be_their_graph_stay_out_unless_asked_for(tmp_path: Path) -> None:
    rows = [GOOD, GOOD.replace("float", "w8a8_mixed_fp16"), GOOD.replace("1.0", "3.0")]
    found = make_cases(read_networks(table(tmp_path, *rows)), GraphLibrary())
    assert [case.where.line for case in found.usable() if case.where] == [2, 4]
    assert len(found.usable(doubtful=True)) == 3
    assert found.cases[2].disputed
    assert not found.cases[2].excluded


def test_what_one_runtime_ran_can_be_looked_at_alone(tmp_path: Path) -> None:
    rows = [GOOD, GOOD.replace("qnn", "onnx")]
    found = make_cases(read_networks(table(tmp_path, *rows)), GraphLibrary())
    assert [case.row.runtime for case in found.of_runtimes(["onnx"]).cases] == ["onnx"]


def test_a_family_in_the_table_overrides_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("network,device,latency_ms,family\nresnet18,D,1,mine\nresnet50,D,2,\n")
    found = make_cases(read_networks(path), GraphLibrary())
    assert [case.family for case in found.cases] == ["mine", "resnet"]
    assert [case.family for case in found.by_network().cases] == ["resnet18", "resnet50"]


def told(tmp_path: Path, rows: list[str], macs: dict | None = None):
    return agreement(read_networks(table(tmp_path, *rows)), macs or {})


def test_a_row_off_the_table_and_a_wrong_unit_are_told(tmp_path: Path) -> None:
    rows = lines({"A": 1, "B": 2, "C": 4})
    rows[14] = rows[14].replace(",6,", ",24,")
    rows[27] = rows[27].replace(",16,", ",16000,")
    found = told(tmp_path, rows)
    messages = {doubt.kind: str(doubt) for doubt in found.doubts}
    assert set(messages) == {"off the table", "order of magnitude"}
    assert "measured.csv:16:" in messages["off the table"]
    assert "4x slower" in messages["off the table"]
    assert "measured.csv:29:" in messages["order of magnitude"]
    assert "milliseconds?" in messages["order of magnitude"]
    assert [device.off for device in found.devices] == [0, 1, 1]


def test_a_whole_device_in_another_unit_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, lines({"A": 1, "B": 1000, "C": 2}))
    (doubt,) = found.doubts
    assert doubt.kind == "order of magnitude"
    assert doubt.message.startswith("B: 500x slower")


def test_more_arithmetic_than_anything_makes_is_told(tmp_path: Path) -> None:
    rows = ["vgg19,,float,A,qnn,NPU,0.01,,"]
    (doubt,) = told(tmp_path, rows, {("vgg19", ""): 19_600_000_000}).doubts
    assert "measured.csv:2:" in str(doubt)
    assert "at least 0.0196 ms" in doubt.message


def test_a_device_told_twice_is_counted_once(tmp_path: Path) -> None:
    rows = lines({"A": 1, "Twin": 1, "C": 3})
    found = told(tmp_path, rows)
    assert dict(found.copies) == {"Twin": "A"}
    asked = agreement(read_networks(table(tmp_path, *rows)), {}, keep=["Twin"])
    assert dict(asked.copies) == {"A": "Twin"}
    rows[12] = rows[12].replace(",1,", ",1.01,")
    assert not told(tmp_path, rows).copies


def test_quantised_slower_than_float_is_told(tmp_path: Path) -> None:
    rows = [GOOD, GOOD.replace("float", "w8a8").replace("1.0", "1.2")]
    (doubt,) = told(tmp_path, rows).doubts
    assert doubt.kind == "quantised slower"
    assert "1 ms (line 2)" in doubt.message


def test_runtimes_and_devices_say_how_far_measurements_are_apart(tmp_path: Path) -> None:
    rows = lines({"A": 1, "B": 2, "C": 4})
    rows += [row.replace("qnn", "onnx") for row in lines({"A": 1.5})]
    spreads = {row.what: row for row in told(tmp_path, rows).spreads}
    assert spreads["onnx and qnn"].median == pytest.approx(0.5)
    assert spreads["onnx and qnn"].pairs == 12
    assert spreads["devices, log-additive table"].p90 == pytest.approx(0, abs=1e-5)


def test_nothing_with_a_graph_is_an_error_that_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none of the 1 measured networks[\s\S]*nobody\.onnx"):
        doubts(tmp_path, "nobody,,float,A,qnn,NPU,1,,")
