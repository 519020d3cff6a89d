"""Tables of times, cell by cell, and what every reader makes of the times it found."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pytest

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import (
    FASTEST_MACS,
    Censored,
    Request,
    finish,
    listed,
    missing_operators,
    unit_doubts,
)
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError
from tests.cost.samples import graph_of, matmul, table


def relu(size: int) -> str:
    return f"Relu[1x{size}>1x{size}] float32"


def read(tmp_path: Path, text: str, device: str | None = None) -> list[ProfileTable]:
    path = tmp_path / "board.csv"
    path.write_text(text)
    return import_profiles("csv", Request((path,), device=device))


def entry(tmp_path: Path, columns: str, cells: str) -> Entry:
    [found] = read(tmp_path, f"key,time_us,{columns}\n{relu(8)},40,{cells}\n")
    return found.entries[relu(8)]


def told(found: Iterable[ProfileTable]) -> list[str]:
    return [str(doubt) for table in found for doubt in table.doubts]


def test_spread_and_samples_are_taken_over(tmp_path: Path) -> None:
    found = entry(tmp_path, "spread_us,samples", "2.5,30")
    assert found.seconds == pytest.approx(40e-6)
    assert found.spread_s == pytest.approx(2.5e-6)
    assert found.samples == 30


@pytest.mark.parametrize("cells", [",", ",0", ",1"])
def test_a_time_was_measured_once_at_least(tmp_path: Path, cells: str) -> None:
    found = entry(tmp_path, "spread_us,samples", cells)
    assert (found.spread_s, found.samples) == (None, 1)


@pytest.mark.parametrize(("cells", "seconds"), [("0", 0.0), ("30", 30e-6), ("", None)])
def test_a_transfer_may_take_no_time(tmp_path: Path, cells: str, seconds: float | None) -> None:
    assert entry(tmp_path, "transfer_us", cells).transfer_s == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("key,time_us,transfer_us", "3,inf", "line 3: transfer_us is inf, which is no time"),
        ("key,time_us,transfer_us", "3,nan", "line 3: transfer_us is nan, which is no time"),
        ("key,time_us,spread_us", "3,wide", "line 3: spread_us or samples is not a number"),
        ("key,time_us,samples", "3,2.5", "line 3: spread_us or samples is not a number"),
        ("key,time_us", "nan", "line 3: time_us is nan, which is no time"),
        ("key,time_us", "3,4", "line 3: 3 fields where the header has 2"),
        ("key,time_us,pu", "3", "line 3: 2 fields where the header has 3"),
    ],
)
def test_a_bad_cell_spoils_its_row_alone(tmp_path: Path, header: str, row: str, words: str) -> None:
    good = ",".join(["5"] * header.count(","))
    found = read(tmp_path, f"{header}\n{relu(8)},{good}\n{relu(9)},{row}\n")
    assert [key for table in found for key in table.entries] == [relu(8)]
    assert any(f"1 of 2 rows cannot be used: {words}" in message for message in told(found))


def test_lines_are_those_of_the_file_and_empty_ones_do_not_count(tmp_path: Path) -> None:
    found = read(tmp_path, f"key,time_us\n\n{relu(8)},5\n , \n{relu(9)},no\n")
    assert any("1 of 2 rows cannot be used: line 5:" in message for message in told(found))
    [where] = [e.where for table in found for e in table.entries.values()]
    assert where is not None
    assert where.line == 3


def test_columns_say_which_unit_was_measured_and_how(tmp_path: Path) -> None:
    rows = "key,time_us,pu,device,scope\n"
    rows += f"{relu(8)},5,npu,board,kernel\n{relu(9)},6,,board,partition\n{relu(8)},7,,,\n"
    found = read(tmp_path, rows)
    assert [(t.name, t.scope, [e.seconds for e in t.entries.values()]) for t in found] == [
        ("npu", "kernel", [pytest.approx(5e-6)]),
        ("board", "partition", [pytest.approx(6e-6)]),  # as the column says
        ("board", "kernel", [pytest.approx(7e-6)]),  # as the file is called
    ]
    [one, parts] = read(tmp_path, rows, device="mine")
    assert (one.name, parts.name) == ("mine", "mine")
    assert one.entries[relu(8)].seconds == pytest.approx(6e-6)  # the median of both


def test_a_column_is_a_time_by_its_name_and_its_unit(tmp_path: Path) -> None:
    [found] = read(tmp_path, f"key,median_ms,start_us\n{relu(8)},2,900\n")
    assert found.entries[relu(8)].seconds == pytest.approx(2e-3)
    with pytest.raises(ConfigError, match="no column tells the time"):
        read(tmp_path, f"key,time_days\n{relu(8)},2\n")
    with pytest.raises(ConfigError, match=r"line 2: time_us is 'soon', a plain number of us was"):
        read(tmp_path, f"key,time_us\n{relu(8)},soon\n")


def test_cells_may_be_quoted_after_a_space(tmp_path: Path) -> None:
    [found] = read(tmp_path, f'"key", "time_us", "note"\n"{relu(8)}", "5", "cold, first"\n')
    assert found.entries[relu(8)].seconds == pytest.approx(5e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("operators,time_us\nconv1,5\n", "a table of operator names does not say everything"),
        ("kee,time_us\nx,5\n", r"board\.csv:1: the column 'key' or 'operators' is missing"),
        ("device,pu,op,c_in\nb,cpu,Conv,3\n", r"board\.csv:1: .*h_in"),
    ],
)
def test_what_a_table_lacks_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, text)


CONVOLUTIONS = """\
device,pu,op,n,c_in,h_in,w_in,c_out,k_h,k_w,stride_h,stride_w,pad_top,pad_left,pad_bottom,\
pad_right,dilation_h,dilation_w,groups,dtype,macs,latency_us
"""


def test_measured_convolutions_are_a_profile_of_each_unit(tmp_path: Path) -> None:
    text = CONVOLUTIONS
    for pu, outs, latency in (
        ("cpu", 4, "1500"), ("", 4, "900"), ("cpu", 5, "never"), ("cpu", 6, "1600"), ("", 6, "800")
    ):  # fmt: skip
        text += f"board,{pu},Conv,1,3,8,8,{outs},3,3,1,1,1,1,1,1,1,1,1,float32,0,{latency}\n"
    found = read(tmp_path, text)
    assert {t.name: [e.seconds for e in t.entries.values()] for t in found} == {
        "board/cpu/float32": pytest.approx([1.5e-3, 1.6e-3]),
        "board/float32": pytest.approx([0.9e-3, 0.8e-3]),
    }
    assert {e.samples for t in found for e in t.entries.values()} == {1}
    assert all(any(":4: " in str(d) and "never" in str(d) for d in t.doubts) for t in found)
    [one] = read(tmp_path, text, device="mine")
    assert one.name == "mine"


def test_long_lists_are_cut_after_six() -> None:
    letters = list("abcdef")
    assert listed(letters) == "a, b, c, d, e, f"
    assert listed([*letters, "g", "h"]) == "a, b, c, d, e, f and 2 more"


def times(seconds: Iterable[float]) -> ProfileTable:
    return table([Entry(relu(i + 2), s) for i, s in enumerate(seconds)])


@pytest.mark.parametrize(
    ("middle", "doubted"), [(0.99e-8, True), (1e-8, False), (100.0, False), (100.1, True)]
)
def test_the_unit_is_doubted_where_the_median_is_no_time_of_an_operator(
    middle: float, doubted: bool
) -> None:
    found = unit_doubts(times([middle / 2, middle, middle * 3, math.inf]), [])
    assert bool(found) == doubted
    assert unit_doubts(times([math.inf]), []) == []


@pytest.mark.parametrize(("share", "doubted"), [(1.01, False), (0.99, True)])
def test_the_unit_is_doubted_where_products_would_be_too_fast(share: float, doubted: bool) -> None:
    graph = graph_of(matmul(1, 100, 1000))
    key = operator_key(graph, graph.operators[0])
    # Beside others that take long enough, so that it is no matter of the median.
    rows = [Entry(key, 1e5 / FASTEST_MACS * share), Entry(relu(2), 1e-6), Entry(relu(3), 1e-6)]
    found = unit_doubts(table(rows), [graph])
    assert [doubt.message for doubt in found] == doubted * [
        "1 operators would exceed 1e+15 multiply-accumulates/s: m; is the unit right?"
    ]
    assert unit_doubts(table([Entry(key, math.inf), *rows[1:]]), [graph]) == []


def test_operators_without_a_time_are_named() -> None:
    graph = graph_of(matmul(1, 100, 1000))
    [doubt] = missing_operators(times([1e-6]), [graph])
    assert "1 of 1 operators of one have no time of their own" in doubt.message
    assert doubt.message.endswith(": m")
    known = Entry(operator_key(graph, graph.operators[0]), math.inf)
    assert missing_operators(table([known]), [graph]) == []


@pytest.mark.parametrize(
    ("rows", "censored", "coarse"),
    [
        ([2, 3, 4, 5], "keep", False),  # too few to tell
        ([2, 3, 4, 5, 6], "keep", True),
        ([2, 3, 4, 5, 6, math.inf], "keep", True),  # what cannot run has no unit
        ([2, 3, 4, 5, 6.01], "keep", False),
        ([2, 3, 4, 5, 0], "keep", False),
    ],
)
def test_five_whole_numbers_are_counts_of_a_clock(
    rows: list[float], censored: Censored, coarse: bool
) -> None:
    found = finish(times(s * 1e-3 for s in rows), Request((), censored=censored))
    assert any(doubt.kind == "coarse times" for doubt in found.doubts) == coarse
    # Half of what lies between the quartiles of an even spread over one millisecond.
    spreads = [e.spread_s for e in found.entries.values() if e.seconds != math.inf]
    assert spreads == len(spreads) * [0.25e-3 if coarse else None]


def test_a_spread_that_was_measured_is_no_rounding() -> None:
    rows = [Entry(relu(i), i * 1e-3) for i in range(2, 7)]
    rows.append(Entry(relu(9), 1e-3, spread_s=2e-5))
    found = finish(table(rows), Request((), censored="drop"))
    assert (found.entries[relu(9)].seconds, found.entries[relu(9)].spread_s) == (1e-3, 2e-5)


def test_a_transfer_outlives_the_time_that_rounding_took() -> None:
    rows = [Entry(relu(i), i * 1e-3) for i in range(2, 7)]
    rows += [Entry(relu(8), 1e-3, transfer_s=4e-5), Entry(relu(9), 1e-3)]
    rows.append(Entry(relu(10), None, transfer_s=5e-5))  # of which only the transfer was measured
    found = finish(table(rows), Request((), censored="drop"))
    assert relu(9) not in found.entries
    assert found.entries[relu(8)].seconds is None
    assert found.entries[relu(8)].transfer_s == 4e-5
    assert found.entries[relu(10)] == rows[-1]
    message = next(str(doubt) for doubt in found.doubts if doubt.kind == "coarse times")
    assert "2 are below 1.5 ms and left to the model" in message
