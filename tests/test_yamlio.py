"""Reading YAML with locations, changing it, and what broken files say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hetsim.errors import ConfigError, Location
from hetsim.library import shipped
from hetsim.overrides import Override, apply_overrides, split_assignment
from hetsim.yamlio import Document, parse_yaml, read_yaml

SMALL = """\
pus:
  npu:
    sram: 512 KiB
    cores: 4
    path: [bus, dram]
    efficiency: {default: 0.5, Conv: 0.25, Conv.pointwise: 0.1}
links:
  bus: {bandwidth: 12.8 GB/s}
"""


def small() -> Document:
    return parse_yaml(SMALL, "soc.yaml")


def broken(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "soc.yaml")
    return caught.value


def test_keys_and_values_have_places() -> None:
    document = small()
    assert document.where(("pus", "npu", "sram")) == Location("soc.yaml", 3, 11)
    assert document.where_key(("pus", "npu", "sram")) == Location("soc.yaml", 3, 5)
    assert document.where(("pus", "npu", "path", 1)) == Location("soc.yaml", 5, 17)
    assert document.where(("links", "bus", "bandwidth")) == Location("soc.yaml", 8, 20)


def test_the_place_of_what_is_missing_is_that_of_its_parent() -> None:
    document = small()
    assert document.where(("links", "bus", "no", "such")) == document.where(("links", "bus"))
    assert document.get(("links", "bus", "no")) is None


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(max_size=6), json_like, min_size=1, max_size=4))
def test_plain_data_survives_a_round_trip(data: dict[str, object]) -> None:
    text = yaml.safe_dump(data, allow_unicode=False)
    document = parse_yaml(text, "x.yaml")
    assert document.data == data

    def paths(value: object, path: tuple[str | int, ...]) -> None:
        assert path in document.values
        if isinstance(value, dict):
            for key, child in value.items():
                paths(child, (*path, key))
        if isinstance(value, list):
            for i, child in enumerate(value):
                paths(child, (*path, i))

    paths(document.data, ())


@pytest.mark.parametrize(
    ("text", "line", "column", "complaint"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "key 'a' is repeated; it already stands in line 1"),
        ("a:\n  b: 1\n  c: 2\n  b: 1\n", 4, 3, "key 'b' is repeated"),
        ("a: {x: 1, x: 2}\n", 1, 11, "key 'x' is repeated"),
        ("a:\n\tb: 1\n", 2, 1, "a tab is not allowed"),
        ("a: [1, 2\nb: 3\n", 2, 2, "YAML syntax"),
        ("a: 'x\n", 2, 1, "YAML syntax"),
        ("a: 1\n--- \nb: 2\n", 2, 1, "single document"),
        ("a: !!python/object:os.system x\n", 1, 4, "tag"),
        ("a: !mine {b: 1}\n", 1, 4, "tag"),
        ("a: *nobody\n", 1, 4, "undefined alias"),
        ("a: &x [1, *x]\n", 1, 4, "inside its own anchor"),
        ("? [1, 2]\n: 3\n", 1, 3, "a key must be a plain name"),
        ("a: \x07\n", 1, 4, "U+0007"),
        ("a: 1\nb: <<\n<<: 4\n", 3, 5, "merges a mapping"),
    ],
)
def test_broken_text_names_line_and_column(
    text: str, line: int, column: int, complaint: str
) -> None:
    error = broken(text)
    assert complaint in str(error)
    assert error.where is not None
    assert error.where.file == "soc.yaml"
    assert error.where.line == line
    assert error.where.column == column


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_says_so(text: str) -> None:
    if text == "---\n":
        assert parse_yaml(text, "x").data is None
    else:
        assert "empty" in broken(text).message


def test_aliases_are_copies_with_the_anchor_s_place() -> None:
    document = parse_yaml("a: &x {n: 1}\nb: *x\n", "x.yaml")
    assert document.data == {"a": {"n": 1}, "b": {"n": 1}}
    assert document.data["a"] is not document.data["b"]
    assert document.where(("b", "n")).line == 1


def test_merge_keys_yield_to_what_is_written() -> None:
    document = parse_yaml("a: &x {n: 1, m: [5]}\nb:\n  <<: *x\n  n: 2\n", "x.yaml")
    assert document.data["b"] == {"n": 2, "m": [5]}
    assert document.where(("b", "n")) == Location("x.yaml", 4, 6)
    assert document.where(("b", "m", 0)).line == 1
    assert all("<<" not in path for path in document.values)


@pytest.mark.slow
def test_a_billion_laughs_are_refused_fast() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 10)]
    error = broken("\n".join(lines))
    assert "aliases expand to more than" in error.message
    assert error.where is not None
    assert error.where.line is not None


@pytest.mark.slow
def test_endless_nesting_is_refused() -> None:
    assert "nested too deeply" in broken("[" * 100_000).message


def test_scalars_people_write() -> None:
    data = parse_yaml("{b: 1.5e-3, c: 2020-01-01, d: 0x10, 5: x, on: 1, e: '1'}", "x").data
    assert data == {"b": 1.5e-3, "c": "2020-01-01", "d": 16, "5": "x", "on": 1, "e": "1"}


def test_unreadable_files(tmp_path: Path) -> None:
    for path, complaint in [
        (tmp_path / "no.yaml", "no such file"),
        (tmp_path, "directory"),
        (Path("bad\0name.yaml"), "not a file name"),
    ]:
        with pytest.raises(ConfigError) as caught:
            read_yaml(path)
        assert complaint in caught.value.message
        assert str(caught.value).startswith(str(path))


def test_text_that_is_not_utf8_names_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: 1\nname: caf\xe9\n")
    with pytest.raises(ConfigError) as caught:
        read_yaml(file)
    assert str(caught.value).startswith(f"{file}:2:10: byte 0xe9")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(file).data == {"a": 1}


@pytest.mark.parametrize(
    ("path", "value", "where", "result"),
    [
        ("npu.sram", "1 MiB", ("pus", "npu", "sram"), "1 MiB"),
        ("pus.npu.sram", "2x", ("pus", "npu", "sram"), "1024.0 KiB"),
        ("bus.bandwidth", "0.5x", ("links", "bus", "bandwidth"), "6.4 GB/s"),
        ("npu.cores", "2x", ("pus", "npu", "cores"), 8),
        ("npu.cores", "0.3×", ("pus", "npu", "cores"), 1.2),
        ("npu.cores", "7", ("pus", "npu", "cores"), 7),
        ("npu.path.0", "axi", ("pus", "npu", "path", 0), "axi"),
        ("npu.path", "[dram]", ("pus", "npu", "path"), ["dram"]),
        (
            "npu.efficiency.Conv.pointwise",
            "3x",
            ("pus", "npu", "efficiency", "Conv.pointwise"),
            0.3,
        ),
        ("npu.efficiency.Conv", 0.75, ("pus", "npu", "efficiency", "Conv"), 0.75),
        ("npu.crossing.quantise", "1 ns", ("pus", "npu", "crossing", "quantise"), "1 ns"),
        ("description", "text", ("description",), "text"),
    ],
)
def test_overrides_reach_their_target(
    path: str, value: object, where: tuple[str | int, ...], result: object
) -> None:
    document = small()
    changed = apply_overrides(document, {path: value})
    found = changed.get(where)
    assert found == pytest.approx(result) if isinstance(result, float) else found == result
    assert changed.where(where) == Location(f"--set {path}")
    assert document.data == small().data, "the original stays as it is"
    others = [p for p in document.values if p[: len(where)] != where and where[: len(p)] != p]
    assert all(changed.get(p) == document.get(p) for p in others)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("npo.sram", "1 MiB", "did you mean 'npu'"),
        ("pus.nppu.sram", "1 MiB", "did you mean 'npu'"),
        ("npu.path.2", "x", "items are numbered 0 to 1"),
        ("npu.path.first", "x", "not an item"),
        ("npu.sram.input", "x", "no 'input' below the value '512 KiB'"),
        ("npu.layout", "2x", "not written in the file"),
        ("npu.efficiency", "2x", "not a number"),
        ("npu..sram", "1", "not a path"),
        ("", "1", "not a path"),
        ("npu.sram", "[1, 2", "not a YAML value"),
    ],
)
def test_overrides_that_lead_nowhere(path: str, value: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply_overrides(small(), {path: value})
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(f"--set {path}: ")


def test_an_override_from_a_file_is_located_there() -> None:
    place = Location("scenario.yaml", 4, 3)
    changed = apply_overrides(small(), {"npu.path": Override(["x", "y", "z"], place)})
    assert changed.where(("pus", "npu", "path", 2)) == place
    with pytest.raises(ConfigError, match=r"^scenario\.yaml:4:3: "):
        apply_overrides(small(), {"npo.path": Override("x", place)})


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("cpu.clock", "or multiply cpu.points.slow.clock or cpu.points.fast.clock$"),
        ("bus.bandwidth", "or multiply bus.width or bus.clock$"),
        ("odd.size", "give the value itself$"),
    ],
)
def test_a_factor_of_what_is_not_written_is_told_what_is(path: str, told: str) -> None:
    data = {
        "pus": {
            "cpu": {"cores": 2, "points": {"slow": {"clock": "1 GHz"}, "fast": {"clock": 2e9}}}
        },
        "links": {"bus": {"width": "32 bit", "clock": "80 MHz"}, "odd": {"name": "odd"}},
    }
    with pytest.raises(ConfigError, match=told):
        apply_overrides(Document("f", data, {}, {}), {path: "2x"})


def test_factors_multiply_one_after_the_other() -> None:
    once = apply_overrides(small(), {"npu.sram": "2x"})
    twice = apply_overrides(once, {"npu.sram": "2x"})
    assert twice.get(("pus", "npu", "sram")) == "2048.0 KiB"


def test_assignments_split_at_the_first_equals_sign() -> None:
    assert split_assignment("npu.fuse = [a=b]") == ("npu.fuse", "[a=b]")
    for bad in ("npu.sram", "=1", ""):
        with pytest.raises(ConfigError, match="is not a change"):
            split_assignment(bad)


@pytest.mark.slow
def test_merge_keys_that_multiply_are_refused_quickly():
    lines = ["a0: &a0 {" + ", ".join(f"k{i}: {i}" for i in range(50)) + "}"]
    for level in range(1, 12):
        lines.append(f"a{level}: &a{level}\n  <<: [" + ", ".join([f"*a{level - 1}"] * 12) + "]")
    with pytest.raises(ConfigError, match="aliases expand to more than"):
        parse_yaml("\n".join(lines), "bomb.yaml")
    wide = "base: &b {" + ", ".join(f"k{i}: {i}" for i in range(3000)) + "}\n"
    uses = "".join(f"u{i}: {{<<: *b, x{i}: 1}}\n" for i in range(10))
    document = parse_yaml(wide + uses, "wide.yaml")
    assert document.data["u9"]["k2999"] == 2999
    assert document.where(("u9", "k2999")).line == 1


def test_merges_of_merges_keep_their_order_and_their_places():
    text = """\
one: &one {a: 1, b: 1, c: 1}
two: &two
  <<: *one
  b: 2
three:
  d: 3
  <<: [*two, {a: 9, e: 9}]
"""
    document = parse_yaml(text, "merge.yaml")
    assert document.data["three"] == {"d": 3, "b": 2, "a": 1, "c": 1, "e": 9}
    places = {key: document.where(("three", key)).line for key in document.data["three"]}
    assert places == {"d": 6, "b": 4, "a": 1, "c": 1, "e": 7}


@pytest.mark.parametrize("number", ["0x" + "F" * 5000, "9" * 5000, "9" * 100, "-" + "7" * 200])
def test_numbers_without_measure_are_told_in_short(number):
    with pytest.raises(ConfigError) as told:
        parse_yaml(f"a: {number}", "x.yaml")
    assert len(str(told.value)) < 300
    assert told.value.where is not None


def test_colons_make_no_number_of_base_sixty() -> None:
    long = ":".join(["1"] * 60)
    assert parse_yaml(f"a: 1:30\nb: {long}\nc: 1:2.5\n", "x.yaml").data == {
        "a": "1:30", "b": long, "c": "1:2.5",
    }  # fmt: skip


ODD = [
    "a:\tb",
    "\ufeffa: 1",
    "a: [x?]",
    "a: {b? : 1}",
    "a: 'x\u2028y'",
    "a: b\x85c: d",
    "é: 😀 # ü",
]


@pytest.mark.slow
def test_a_file_means_the_same_without_libyaml(monkeypatch):
    files = (file for shelf in ("socs", "scenarios") for file in shipped(shelf).values())
    texts = [*ODD, *(file.read_text(encoding="utf-8") for file in files)]
    assert len(texts) > 50

    def told(text):
        try:
            return parse_yaml(text, "f.yaml")
        except ConfigError as error:
            return str(error)

    fast = [told(text) for text in texts]
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert fast == [told(text) for text in texts]
