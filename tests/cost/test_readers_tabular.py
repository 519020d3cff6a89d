"""Tables of times row by row: which device a row is of, and every cell where it belongs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError
from tests.cost.foreign import store
from tests.sim.samples import make_graph

RELU, SOFTMAX = "Relu[1x8>1x8] float32", "Softmax[1x8>1x8 axis=1] float32"
GEOMETRY = (
    "device,pu,op,n,c_in,h_in,w_in,c_out,k_h,k_w,stride_h,stride_w,pad_top,pad_left,pad_bottom,"
    "pad_right,dilation_h,dilation_w,groups,dtype,macs,latency_us\n"
)


def tables(folder: Path, text: str, **request: object) -> dict[tuple[str, str], ProfileTable]:
    found = import_profiles("csv", replace(Request((store(folder, "t.csv", text),)), **request))
    return {(table.device, table.scope): table for table in found}


def test_a_row_is_of_the_unit_it_names_else_of_its_device_else_of_the_file(tmp_path: Path) -> None:
    text = (
        "key,time_us,spread_us,samples,transfer_us,pu,device,scope,wait_us,time_of\n"
        f"{RELU},8,0.5,7,0,big,board,partition,1,1\n"
        f"{SOFTMAX},4,,,,,board,,1,1\n"
        "\n"
        f"{RELU},2,,0,,,,kernel,1,1\n"
    )
    found = tables(tmp_path, text)
    assert {key: list(table.entries.values()) for key, table in found.items()} == {
        ("big", "partition"): [Entry(RELU, 8e-6, 0.5e-6, 7, transfer_s=0.0)],
        ("board", "kernel"): [Entry(SOFTMAX, 4e-6)],
        ("t", "kernel"): [Entry(RELU, 2e-6, samples=1)],  # nothing is measured less than once
    }
    lines = [found[key].entries[RELU].where.line for key in (("big", "partition"), ("t", "kernel"))]
    assert lines == [2, 5]
    assert set(tables(tmp_path, text, device="mine")) == {("mine", "partition"), ("mine", "kernel")}


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (",1e999,,,", "time_us is 1e999, which is no time"),
        (",nan,,,", "time_us is nan, which is no time"),
        (",3,much,,", "spread_us or samples is not a number"),
        (",3,,1.5,", "spread_us or samples is not a number"),
        (",3,,,inf", "transfer_us is inf, which is no time"),
    ],
)
def test_cells_that_are_no_times_or_counts_are_told(cells: str, told: str, tmp_path: Path) -> None:
    text = f"key,time_us,spread_us,samples,transfer_us\n{RELU}{cells}\n"
    with pytest.raises(ConfigError, match=f"none of 1 rows can be used: line 2: {told}"):
        tables(tmp_path, text)


@pytest.mark.parametrize("said", ["inf", "Infinity", "cannot run", "infeasible"])
def test_what_cannot_run_may_be_said_in_several_words(said: str, tmp_path: Path) -> None:
    [table] = tables(tmp_path, f"key,time_us\n{RELU},{said}\n").values()
    assert table.time(RELU) == float("inf")


def test_a_name_in_two_networks_needs_to_say_which(tmp_path: Path) -> None:
    ours = make_graph(("a", ["x"], 1.0))
    theirs = replace(ours, name="theirs", operators=(replace(ours.operators[0], kind="Softmax"),))
    alike = replace(ours, name="alike")
    shapes = "1x250000>1x250000"
    text = "operators,time_us,model\n{}\n"
    with pytest.raises(ConfigError, match="a is another operator") as found:
        tables(tmp_path, text.format("a,3,"), graphs=(ours, theirs, alike))
    assert "in each of by hand, theirs, alike; add a column 'model'" in str(found.value)
    for name, kind in (("by hand", "Relu"), ("theirs", "Softmax")):
        [table] = tables(
            tmp_path, text.format(f"a,3,{name}"), graphs=(ours, theirs, alike)
        ).values()
        assert list(table.entries) == [f"{kind}[{shapes}] float32"]
    [table] = tables(tmp_path, text.format("a,3,"), graphs=(ours, alike)).values()
    assert list(table.entries) == [f"Relu[{shapes}] float32"]
    for wrong in ("a,3,other", ",3,", "a+b,3,"):
        with pytest.raises(ConfigError, match="no network given has operators"):
            tables(tmp_path, text.format(wrong), graphs=(ours,))


def test_convolutions_by_their_geometry(tmp_path: Path) -> None:
    """Rows (9 + 1 + 2 - 3) // 2 + 1 = 5; columns of two taps, one apart, 11 + 1 - 3 + 1 = 10."""
    row = "{},Conv,2,6,9,11,8,3,2,2,1,1,0,2,1,1,2,2,float32,0,{}\n"
    text = GEOMETRY + row.format("board,gpu", 1500) + row.format("board,", 700)
    key = "Conv[n2 c6 h9 w11 o8 k3x2 s2x1 d1x2 g2 y5x10] float32"
    found = tables(tmp_path, text)
    assert {name: list(table.entries.values()) for (name, _), table in found.items()} == {
        "board/gpu/float32": [Entry(key, pytest.approx(1.5e-3))],
        "board/float32": [Entry(key, pytest.approx(0.7e-3))],
    }
    assert {scope for _, scope in found} == {"kernel"}
    assert set(tables(tmp_path, text, device="mine")) == {("mine", "kernel")}


def test_rows_of_convolutions_that_were_dropped_are_told(tmp_path: Path) -> None:
    row = "board,gpu,Conv,{},6,9,11,8,3,2,2,1,1,0,2,1,1,1,2,float32,0,1500\n"
    text = GEOMETRY + "".join(map(row.format, ["1", "2", "3", "4", "no", "6"]))
    [table] = tables(tmp_path, text).values()
    assert len(table) == 5
    assert any(doubt.where.line == 6 for doubt in table.doubts if doubt.where)


def test_cells_may_be_quoted_after_a_space(tmp_path: Path) -> None:
    [found] = tables(tmp_path, f'"key", "time_us", "note"\n"{RELU}", "5", "cold, first"\n').values()
    assert found.entries[RELU].seconds == pytest.approx(5e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("operators,time_us\nconv1,5\n", "a table of operator names does not say everything"),
        ("kee,time_us\nx,5\n", r"t\.csv:1: the column 'key' or 'operators' is missing"),
        ("device,pu,op,c_in\nb,cpu,Conv,3\n", r"t\.csv:1: .*h_in"),
    ],
)
def test_what_a_table_lacks_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tables(tmp_path, text)
