from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hetsim.errors import ConfigError, Location
from hetsim.learn.tables import read_measurements
from tests.learn.samples import HEADER, row_of, shapes, write_file

NPU_HEADER = (
    "operation,input_0_batch,input_0_channels,input_0_height,input_0_width,output_0_channels,"
    "output_0_height,output_0_width,kernel_height,kernel_width,kernel_pad_top,kernel_pad_bottom,"
    "kernel_pad_left,kernel_pad_right,kernel_stride_height,kernel_stride_width,input_0_datatype,"
    "output_0_datatype,measured_cycles,family"
)


def _file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "m.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _good(count: int) -> list[str]:
    return [row_of(shape, 1000.0 + i) for i, shape in enumerate(shapes(count))]


def test_reads_every_row_in_seconds(tmp_path: Path) -> None:
    table = read_measurements(_file(tmp_path, HEADER, *_good(10)))
    assert len(table) == 10
    assert table.unit == "seconds"
    assert table.target.tolist() == pytest.approx([(1000 + i) * 1e-6 for i in range(10)])
    assert table.devices == ("toy/cpu/float32",)
    assert table.lines.tolist() == list(range(2, 12))


def test_unit_of_the_time_column_is_obeyed(tmp_path: Path) -> None:
    lines = [HEADER.replace("latency_us", "latency_ms"), *_good(5)]
    assert read_measurements(_file(tmp_path, *lines)).target[0] == pytest.approx(1.0)


def test_families_are_input_size_and_kernel_unless_the_file_names_them(tmp_path: Path) -> None:
    shape = (64, 56, 128, 3, 1, 1)
    plain = read_measurements(_file(tmp_path, HEADER, row_of(shape, 9)))
    assert plain.families.tolist() == ["56x56 k3x3"]
    named = read_measurements(_file(tmp_path, HEADER + ",family", row_of(shape, 9) + ",resnet"))
    assert named.families.tolist() == ["resnet"]
    assert named.shapes.tolist() == ["56x56 k3x3"]


@pytest.mark.parametrize("missing", ["c_in", "k_h", "groups", "pad_left"])
def test_a_missing_column_is_named(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ConfigError, match=rf"missing for convolution latency: {missing}") as error:
        read_measurements(_file(tmp_path, HEADER.replace(missing, "other"), *_good(3)))
    assert str(error.value).startswith(f"{tmp_path / 'm.csv'}:1")


def test_a_file_without_a_time_or_of_no_known_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no column tells the seconds"):
        read_measurements(_file(tmp_path, HEADER.replace("latency_us", "speed"), *_good(3)))
    with pytest.raises(ConfigError, match="no known form"):
        read_measurements(_file(tmp_path, "a,b,c", "1,2,3"))
    with pytest.raises(ConfigError, match="empty"):
        read_measurements(_file(tmp_path, ""))
    with pytest.raises(ConfigError, match="header but no row"):
        read_measurements(_file(tmp_path, HEADER))
    with pytest.raises(ConfigError, match="no such file"):
        read_measurements(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        (row_of((64, 56, 64, 3, 1, 1), 0), "time not positive", "latency_us is 0"),
        (row_of((64, 56, 64, 3, 1, 1), -4.5), "time not positive", "-4.5"),
        (row_of((64, 56, 64, 3, 1, 1), "fast"), "not a number", "'fast'"),
        (row_of((64, 56, 64, 3, 1, 1), "nan"), "not a number", "finite"),
        (row_of((64, 56, 64, 3, 1, 1), ""), "no time", "empty"),
        (row_of((63, 56, 63, 3, 1, 1), 5).replace(",1,float32", ",4,float32"),
         "shape does not fit", "63 cannot be divided into 4 groups"),
        (row_of((64, 56, 64, 3, 1, 1), 5).replace(",56,56,", ",1,1,").replace("1,1,1,1,1,1,1,f",
         "0,0,0,0,1,1,1,f"), "shape does not fit", "leaves no output"),
        (row_of((64, 56, 64, 3, 1, 1), 5).replace("115605504", "999"),
         "macs contradict", "this shape has 115605504"),
        (row_of((64, 56, 64, 3, 1, 1), 5).replace("float32", "float99"),
         "unknown data type", "float99"),
        (row_of((64, 56, 64, 3, 1, 1), 5) + ",7", "ragged", "23 fields where the header has 22"),
        (row_of((64, 56, 64, 3, 1, 1), 5).replace(",64,56", ",64.5,56"),
         "not a whole number", "c_in is 64.5"),
    ],
)  # fmt: skip
def test_a_bad_row_is_dropped_with_its_line_and_reason(
    tmp_path: Path, line: str, kind: str, said: str
) -> None:
    table = read_measurements(_file(tmp_path, HEADER, *_good(9), line))
    assert len(table) == 9
    (problem,) = table.problems
    assert problem.line == 11
    assert problem.kind.startswith(kind)
    assert said in problem.message
    assert "10 rows read, 9 used" in table.summary


def test_too_many_bad_rows_are_an_error_that_counts_them(tmp_path: Path) -> None:
    bad = [row_of(shape, 0) for shape in shapes(4)]
    with pytest.raises(ConfigError, match="4 of 14 rows cannot be used") as error:
        read_measurements(_file(tmp_path, HEADER, *_good(10), *bad))
    assert "line 12: latency_us is 0" in str(error.value)
    kept = read_measurements(_file(tmp_path, HEADER, *_good(10), *bad), max_dropped=0.5)
    assert len(kept) == 10


def test_repeats_that_agree_merge_quietly_and_others_are_told(tmp_path: Path) -> None:
    shape = (64, 56, 64, 3, 1, 1)
    near = [row_of(shape, t) for t in (100, 101, 102)]
    table = read_measurements(_file(tmp_path, HEADER, *near))
    assert table.target.tolist() == pytest.approx([101e-6])
    assert not table.problems
    far = [row_of(shape, t) for t in (100, 300, 110)]
    table = read_measurements(_file(tmp_path, HEADER, *far))
    assert table.target.tolist() == pytest.approx([110e-6])
    (problem,) = table.problems
    assert (problem.line, problem.kind, problem.dropped) == (2, "repeats disagree", False)
    assert "line 3, 4" in problem.message


@pytest.mark.parametrize(("factor", "said"), [(1e-6, "times faster"), (1e3, "times slower")])
def test_rows_in_another_unit_are_found_by_their_absurd_speed(
    tmp_path: Path, factor: float, said: str
) -> None:
    path = write_file(tmp_path / "m.csv", shapes(40))
    lines = path.read_text().splitlines()
    head, _, time = lines[5].rpartition(",")
    lines[5] = f"{head},{float(time) * factor}"  # seconds or nanoseconds among microseconds
    table = read_measurements(_file(tmp_path, *lines))
    assert [(p.line, p.kind) for p in table.problems] == [(6, "unit doubtful")]
    assert said in table.problems[0].message
    assert len(table) == 39


def test_two_time_columns_must_agree(tmp_path: Path) -> None:
    header = HEADER + ",latency_ms"
    good = [f"{row_of(s, 1000)},1.0" for s in shapes(9)]
    table = read_measurements(
        _file(tmp_path, header, *good, f"{row_of((8, 8, 8, 1, 1, 1), 1000)},1000")
    )
    assert len(table) == 9
    assert table.problems[0].kind == "units contradict"


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=3)), max_size=6))
def test_damaged_files_end_in_a_table_or_in_our_error(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "m.csv"
    text = bytearray("\n".join([HEADER, *_good(12)]).encode())
    for place, piece in damage:
        place %= len(text)
        text[place : place + 1] = piece
    path.write_bytes(bytes(text))
    try:
        table = read_measurements(path)
    except ConfigError as error:
        where = error.where
    else:
        where = Location(str(path))
        assert (table.target > 0).all()
        assert table["macs"].dtype.kind == "i"
    assert where is not None
    assert where.file == str(path)


def test_npu_rows_are_checked_against_their_kernel(tmp_path: Path) -> None:
    good = "CONVOLUTION,1,64,16,16,32,{},16,3,3,1,1,1,1,1,1,UINT8,UINT8,5000,f"
    lines = [NPU_HEADER, *(good.format(h) for h in (11, 12, 13, 14, 15, 16, 99))]
    table = read_measurements(_file(tmp_path, *lines))
    assert table.unit == "cycles"
    assert [p.line for p in table.problems] == [8]
    assert "at most 16" in table.problems[0].message
    assert table["macs"].tolist()[0] == 64 * 32 * 11 * 16 * 9
