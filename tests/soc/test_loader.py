"""SoC files: what loads, and what a wrong one says and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim import library
from hetsim.errors import ConfigError, Location
from hetsim.soc.loader import load_soc
from hetsim.soc.npu import NPUSpec

GOOD = """\
hetsim: soc/1
name: tiny
memory:
  dram: {bandwidth: 8 GB/s, capacity: 1 GiB, efficiency: [0.8, 0.5]}
links:
  bus: {width: 64 bit, clock: 500 MHz}
pus:
  cpu:
    kind: cpu_cluster
    cores: 4
    path: [bus, dram]
    operating_points: {slow: {clock: 1 GHz}, fast: {clock: 2 GHz}}
    macs_per_cycle: {float32: 4}
    element_ops_per_cycle: {float32: 4}
    efficiency: {default: 0.5, Conv: 0.8}
  npu:
    kind: npu
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    array: {rows: 16, columns: 16, dataflow: weight_stationary}
    dtypes: {int8: 1.0}
    precision: {float32: int8}
    vector_lanes: 16
    sram: 512 KiB
    dma: {engines: 2, bandwidth: 4 GB/s}
runtime: {host: cpu}
"""


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def save(text: str) -> Path:
        file = tmp_path / "tiny.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return save


def test_a_soc_is_in_si_units(write) -> None:  # type: ignore[no-untyped-def]
    soc = load_soc(write(GOOD))
    assert [pu.name for pu in soc.pus] == ["cpu", "npu"]
    assert soc.links["bus"].bandwidth == (4e9,)
    assert soc.links["dram"].bandwidth == pytest.approx((6.4e9, 4e9))
    npu = soc.by_name["npu"].spec
    assert isinstance(npu, NPUSpec)
    assert npu.sram == 512 * 1024
    assert soc.by_name["cpu"].spec.point.clock == 1e9, "the first operating point is in force"
    assert soc.host.name == "cpu"
    assert soc.source.endswith("tiny.yaml")


def test_workers_divide_a_cluster(write) -> None:  # type: ignore[no-untyped-def]
    soc = load_soc(write(GOOD), {"cpu.workers": "[2, 1, 1]"})
    assert [(pu.name, pu.cores, pu.index) for pu in soc.pus] == [
        ("cpu.0", 2, 0),
        ("cpu.1", 1, 1),
        ("cpu.2", 1, 2),
        ("npu", 1, 3),
    ]
    assert soc.host.name == "cpu.0"


# (replace, by, where the message must point: text and its occurrence, what it must say)
WRONG = [
    ("sram: 512 KiB", "srma: 512 KiB", "srma", "unknown field 'srma'; did you mean 'sram'?"),
    ("sram: 512 KiB", "srma: 512 KiB", "npu:", "pus.npu: field 'sram' is missing"),
    ("512 KiB", "512", "512", "has no unit"),
    ("512 KiB", "512 GHz", "512 GHz", "unit of frequency, expected a size"),
    ("8 GB/s", "0 GB/s", "0 GB/s", "must be more than zero"),
    ("8 GB/s", "-8 GB/s", "-8 GB/s", "must be more than zero"),
    ("8 GB/s", "8 GB", "8 GB", "unit of size, expected a bandwidth"),
    ("8 GB/s", "fast", "fast", "'fast' is not a bandwidth"),
    ("8 GB/s", "[1, 2]", "[1, 2]", "is not a bandwidth"),
    ("cores: 4", "cores: 0", "0\n    path", "greater than or equal to 1"),
    ("cores: 4", "cores: four", "four", "'four' is not an integer"),
    ("cores: 4", "cores: true", "true", "True is not an integer"),
    ("cores: 4", "cores: 2.5", "2.5", "2.5 is not an integer"),
    ("cores: 4", "cores: 4\n    workers: [3, 2]", "[3, 2]", "need 5 cores, and the cluster has 4"),
    ("cores: 4", "cores: 4\n    workers: [2, 0]", "0]\n", "greater than or equal to 1"),
    ("cores: 4", "cores: 4\n    workers: []", "[]", "at least 1 item"),
    ("kind: npu", "kind: nup", "nup", "unknown kind 'nup'; did you mean 'npu'?"),
    ("kind: npu\n", "kind: 3\n", "3\n", "3 is not a string"),
    ("path: [dram]", "path: [drma]", "drma", "did you mean 'dram'?"),
    ("path: [dram]", "path: [bus]", "bus]", "a path ends in a memory (dram), and 'bus' is a link"),
    ("path: [dram]", "path: [dram, bus, dram]", "dram, bus, dram", "only the end of a path may be"),
    ("path: [dram]", "path: [bus, bus, dram]", "bus, dram", "stands twice in this path"),
    ("path: [dram]", "path: []", "[]", "at least 1 item"),
    (
        "  bus: {w",
        "  dram: {width: 8 bit, clock: 1 MHz}\n  bus: {w",
        "dram: {width",
        "also the name",
    ),
    ("  bus: {w", "  7up: {width: 8 bit, clock: 1 MHz}\n  bus: {w", "7up", "is not a name"),
    ("64 bit, clock: 500 MHz", "64 bit", "{width: 64", "give either 'bandwidth', or both"),
    ("64 bit,", "64 bit, bandwidth: 1 GB/s,", "{width: 64", "give either 'bandwidth', or both"),
    ("host: cpu", "host: npu", "npu}", "no cpu_cluster is called 'npu'; did you mean 'cpu'?"),
    ("default: 0.5, ", "", "{Conv: 0.8}", "a 'default' is missing"),
    ("Conv: 0.8", "Conv: 1.8", "1.8", "1.8 is out of range: it must be less than or equal to 1"),
    ("Conv: 0.8", "Cnov: 0.8", "Cnov", "unknown operator kind 'Cnov'; did you mean 'Conv'?"),
    ("Conv: 0.8", "Conv.dephtwise: 0.8", "Conv.d", "did you mean 'depthwise'?"),
    ("Conv: 0.8", "Conv: 1e-1", "1e-1", "is text to YAML; write 0.1 or 1.0e-1"),
    ("Conv: 0.8", "Conv: .nan", ".nan", "finite number"),
    ("{float32: int8}", "{float32: float16}", "float16", "states no rate for"),
    ("{float32: int8}", "{float23: int8}", "float23", "unknown data type 'float23'"),
    ("dtypes: {int8: 1.0}", "dtypes: {}", "{}", "at least 1 item"),
    ("weight_stationary", "weights_stationary", "weights_s", "did you mean 'weight_stationary'?"),
    ("columns: 16, ", "", "array:", "pus.npu.array: field 'columns' is missing"),
    ("efficiency: [0.8, 0.5]", "efficiency: []", "[]}", "at least 1 item"),
    ("efficiency: [0.8, 0.5]", "efficiency: [0.8, 0]", "0]}", "greater than 0"),
    ("sram: 512 KiB", "sram: {input: 1 KiB, weight: 1 KiB}", "sram:", "'accumulator' is missing"),
    ("vector_lanes: 16", "vector_lanes: 16\n    fuse: [Conv]", "Conv]", "not a chain of operator"),
    (
        "vector_lanes: 16",
        "vector_lanes: 16\n    fuse: [Conv-Conv]",
        "Conv-",
        "only a chain's first",
    ),
    ("vector_lanes: 16", "vector_lanes: 16\n    weight: 2", "2\n    sram", "has no effect"),
    (
        "vector_lanes: 16",
        "vector_lanes: 16\n    host_wait: poll\n    interrupt_latency: 3 us",
        "3 us",
        "has no effect with host_wait: poll",
    ),
    (
        "vector_lanes: 16",
        "vector_lanes: 16\n    operating_point: off",
        "off",
        "operating_point: False is not a string",
    ),
    (
        "vector_lanes: 16",
        "vector_lanes: 16\n    operating_point: onn",
        "onn",
        "no operating point is called 'onn'; did you mean 'on'?",
    ),
    ("hetsim: soc/1", "hetsim: soc/9", "soc/9", "write 'soc/1'"),
    ("name: tiny", "nmae: tiny", "nmae", "did you mean 'name'?"),
    (
        "  npu:\n    kind: npu",
        "  npu: 5\n  npx:\n    kind: npu",
        "5\n",
        "mapping of fields was exp",
    ),
    (
        "  npu:\n    kind: npu",
        "  cpu:\n    kind: npu",
        "cpu:\n    kind: npu",
        "key 'cpu' is repeated",
    ),
    ("runtime: {host: cpu}", "runtime: {host: cpu", "", "YAML syntax"),
]


@pytest.mark.parametrize(("old", "new", "needle", "says"), WRONG, ids=[w[1][:40] for w in WRONG])
def test_a_wrong_description_is_located(write, old: str, new: str, needle: str, says: str) -> None:  # type: ignore[no-untyped-def]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    file = write(text)
    with pytest.raises(ConfigError) as caught:
        load_soc(file)
    lines = str(caught.value).splitlines()
    found = next((line for line in lines if says in line), None)
    assert found is not None, str(caught.value)
    if needle:
        start = text.index(new) if needle in new else 0
        at = text.index(needle, start)
        expected = f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
        assert found.startswith(f"{file}:{expected}: "), found


def test_all_problems_are_listed_in_the_order_of_the_file(write) -> None:  # type: ignore[no-untyped-def]
    text = (
        GOOD.replace("8 GB/s", "8").replace("cores: 4", "cores: 0").replace("16\n    s", "x\n    s")
    )
    with pytest.raises(ConfigError) as caught:
        load_soc(write(text))
    lines = [int(line.split(":")[1]) for line in str(caught.value).splitlines()]
    assert lines == [4, 10, 23]
    assert caught.value.where is not None
    assert caught.value.where.line == 4


def test_a_bad_override_is_blamed_and_not_the_file(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        load_soc(write(GOOD), {"npu.sram": "12 apples"})
    assert caught.value.where == Location("--set npu.sram")
    assert "'apples' is not a known unit" in caught.value.message


@pytest.mark.parametrize(
    ("override", "factor"),
    [("2x", 2.0), ("0.25x", 0.25), ("1.5×", 1.5)],
)
def test_multipliers_scale_what_the_file_says(write, override: str, factor: float) -> None:  # type: ignore[no-untyped-def]
    file = write(GOOD)
    before, after = load_soc(file), load_soc(file, {"dram.bandwidth": override})
    assert after.links["dram"].bandwidth == pytest.approx(
        [b * factor for b in before.links["dram"].bandwidth]
    )
    assert after.links["bus"] == before.links["bus"]


def test_names_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    assert load_soc("mine.yaml", base=tmp_path).name == "tiny"
    monkeypatch.chdir(tmp_path)
    assert load_soc("mine.yaml").name == "tiny"
    assert load_soc("zcu102-vta").name == "zcu102-vta"
    assert load_soc("socs/zcu102-vta.yaml").name == "zcu102-vta", "works away from the checkout"
    for wrong, says in [
        ("zcu102-tva", "did you mean 'zcu102-vta'?"),
        ("zzz", "shipped: bcm2837, chiplet-edge, edge-dual, "),
        ("no/such.yaml", "there is no file"),
        ("", "empty"),
        (".", "directory"),
    ]:
        with pytest.raises(ConfigError) as caught:
            load_soc(wrong)
        assert says in str(caught.value)


def test_shipped_files_are_found_in_an_installed_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "hetsim"
    shelf = package / "shipped" / "socs"
    shelf.mkdir(parents=True)
    (shelf / "other.yaml").write_text(GOOD, encoding="utf-8")
    monkeypatch.setattr(library, "__file__", str(package / "library.py"))
    assert library.shipped("socs") == {"other": shelf / "other.yaml"}
    assert load_soc("other").name == "tiny"
    with pytest.raises(ConfigError, match="no scenarios"):
        library.shipped("scenarios")
