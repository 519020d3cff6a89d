"""Scenario files: what loads, and what a wrong one says and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.errors import ConfigError, Location
from hetsim.library import shipped
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.scenario.variants import varied
from hetsim.schedulers.registry import scheduler_names
from hetsim.soc.npu import NPUSpec

GOOD = """\
hetsim: scenario/1
name: mine
soc: zcu102-vta
set:
  npu.dma.bandwidth: 2x
  cpu.workers: [1, 1]
models:
  - squeezenet
  - {name: squeezenet, label: big, input_shapes: {data: [1, 3, 448, 448]}}
  - path: nets/tiny.onnx
  - nets/tiny2.onnx
schedulers:
  - heft
  - {name: heft, label: heft-2, parameters: {depth: 2}}
execution: barrier
seed: 7
time_limit: 90 s
reference:
  title: a paper
  source: doi
  improvements:
    - {model: big, scheduler: heft-2, baseline: heft, improvement_percent: 3}
"""


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    (tmp_path / "nets").mkdir()
    for name in ("tiny.onnx", "tiny2.onnx"):
        (tmp_path / "nets" / name).write_bytes(b"")

    def save(text: str) -> Path:
        file = tmp_path / "mine.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return save


def dma(scenario) -> float:  # type: ignore[no-untyped-def]
    spec = scenario.soc.by_name["npu"].spec
    assert isinstance(spec, NPUSpec)
    return float(spec.dma.bandwidth)


def test_a_scenario_holds_everything_it_says(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = write(GOOD)
    scenario = load_scenario(file)
    assert [(m.name, m.label) for m in scenario.models] == [
        ("squeezenet", "squeezenet"),
        ("squeezenet", "big"),
        ("tiny", "tiny"),
        ("tiny2", "tiny2"),
    ]
    assert scenario.models[1].sizes.input_shapes == {"data": (1, 3, 448, 448)}
    assert scenario.models[2].path == tmp_path / "nets" / "tiny.onnx"
    assert scenario.models[0].path is None
    assert [(s.name, s.label, dict(s.parameters)) for s in scenario.schedulers] == [
        ("heft", "heft", {}),
        ("heft", "heft-2", {"depth": 2}),
    ]
    assert (scenario.execution, scenario.seed, scenario.time_limit_s) == ("barrier", 7, 90.0)
    assert (scenario.fidelity, scenario.reading["unknown_operators"]) == ("fluid", "error")
    assert scenario.directory == tmp_path
    assert [pu.name for pu in scenario.soc.pus] == ["cpu.0", "cpu.1", "npu"]
    assert dma(scenario) == pytest.approx(2 * 5.328e9)


def test_names_keep_their_lines(write) -> None:  # type: ignore[no-untyped-def]
    file = write(GOOD)
    scenario = load_scenario(file)
    assert scenario.models[1].where == Location(str(file), 9, 5)
    assert scenario.schedulers[0].where == Location(str(file), 13, 5)
    assert scenario.where(("schedulers", 1, "name")) == Location(str(file), 14, 12)


def test_all_schedulers(write) -> None:  # type: ignore[no-untyped-def]
    text = GOOD[: GOOD.index("schedulers:")] + "schedulers: all\n"
    scenario = load_scenario(write(text))
    assert [ref.name for ref in scenario.schedulers] == scheduler_names()
    assert not any(ref.listed for ref in scenario.schedulers)
    assert choose(scenario, schedulers=["heft"]).schedulers[0].listed
    changed = varied(scenario, {"schedulers.exact.time_limit": 2.0})
    assert changed.scheduler("exact").parameters == {"time_limit": 2.0}


def test_a_scheduler_file_is_relative_to_the_scenario(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = GOOD[: GOOD.index("schedulers:")] + "schedulers: ['own/mine.py:Mine', '/a.py:Abs']\n"
    refs = load_scenario(write(text)).schedulers
    assert [ref.name for ref in refs] == [f"{tmp_path}/own/mine.py:Mine", "/a.py:Abs"]
    assert [ref.label for ref in refs] == ["own/mine.py:Mine", "/a.py:Abs"]


def test_overrides_go_to_the_scenario_or_to_its_soc(write) -> None:  # type: ignore[no-untyped-def]
    scenario = load_scenario(
        write(GOOD),
        {
            "seed": "9",
            "execution": "dataflow",
            "models.0": "alexnet",
            "npu.dma.bandwidth": "0.5x",
            "soc.npu.vector_lanes": 32,
        },
    )
    assert (scenario.seed, scenario.execution) == (9, "dataflow")
    assert scenario.models[0].name == "alexnet"
    assert dma(scenario) == pytest.approx(5.328e9), "on top of the scenario's own 2x"
    assert scenario.soc.by_name["npu"].spec.vector_lanes == 32  # type: ignore[attr-defined]


def test_the_soc_can_be_exchanged(write) -> None:  # type: ignore[no-untyped-def]
    assert load_scenario(write(GOOD), {"soc": "edge-mcu"}).soc.name == "edge-mcu"


def test_a_soc_path_is_relative_to_the_scenario(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    copy = shipped("socs")["edge-mcu"].read_text(encoding="utf-8")
    (tmp_path / "mcu.yaml").write_text(copy, encoding="utf-8")
    file = write(GOOD.replace("soc: zcu102-vta", "soc: mcu.yaml"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert load_scenario(file).soc.name == "edge-mcu"
    # One given on the command line is relative to where the command was given.
    (elsewhere / "other.yaml").write_text(copy, encoding="utf-8")
    assert load_scenario(file, {"soc": "other.yaml"}).soc.name == "edge-mcu"


WRONG = [
    ("soc: zcu102-vta", "soc: zcu102-tva", "zcu102-tva", "did you mean 'zcu102-vta'?"),
    ("soc: zcu102-vta", "soc: no/such.yaml", "no/such", "there is no file"),
    ("soc: zcu102-vta", "scc: zcu102-vta", "scc", "unknown field 'scc'; did you mean 'soc'?"),
    ("soc: zcu102-vta\n", "", "hetsim", "field 'soc' is missing"),
    ("npu.dma.bandwidth: 2x", "npx.dma.bandwidth: 2x", "npx", "did you mean 'npu'?"),
    ("npu.dma.bandwidth: 2x", "npu.dma.bandwidth: 2 s", "npu.dma", "unit of time, expected a band"),
    ("npu.dma.bandwidth: 2x", "npu.dam.bandwidth: 1 GB/s", "npu.dam", "unknown field 'dam'"),
    ("[1, 1]", "[2, 3]", "cpu.workers", "need 5 cores, and the cluster has 4"),
    ("nets/tiny.onnx", "nets/gone.onnx", "nets/gone", "does not exist"),
    ("path: nets/tiny.onnx", "path: nets", "nets", "is a directory"),
    ("path: nets/tiny.onnx", "label: x", "label", "names no model"),
    ("path: nets/tiny.onnx", "squeezenet #", "squeezenet #", "two models are called 'squeezenet'"),
    ("label: heft-2, ", "", "{name: heft,", "two schedulers are called 'heft'"),
    ("448, 448", "448, -1", "-1", "greater than or equal to 1"),
    ("execution: barrier", "execution: bariier", "bariier", "did you mean 'barrier'?"),
    ("seed: 7", "weights: {dtype: int5}", "int5", "unknown data type 'int5'"),
    ("seed: 7", "weights: {sparsity: 3:4}", "3:4", "unknown sparsity '3:4'; known: 2:4"),
    ("seed: 7", "weights: {group: 32}", "32", "has no effect: 'dtype' is absent"),
    ("seed: 7", "weights: {dtype: int4, group: 0}", "0}", "greater than or equal to 1"),
    ("seed: 7", "seed: -7", "-7", "greater than or equal to 0"),
    ("seed: 7", "seed: lucky", "lucky", "is not an integer"),
    ("90 s", "90", "90", "no unit"),
    ("90 s", "0 s", "0 s", "more than zero"),
    ("models:\n", "models: []\nmdels:\n", "mdels", "did you mean 'models'?"),
    ("schedulers:\n", "schedulers: al\nx:\n", "al\n", "'al' is not allowed; write 'all'"),
    ("{model: big", "{model: huge", "huge", "'huge' is not run by this scenario"),
    ("baseline: heft", "baseline: hefd", "hefd", "did you mean 'heft'?"),
    ("seed: 7", "seed: 7\nseed: 8", "seed: 8", "key 'seed' is repeated"),
    ("  title: a paper\n", "", "reference", "reference: field 'title' is missing"),
]


@pytest.mark.parametrize(("old", "new", "needle", "says"), WRONG, ids=[w[1][:40] for w in WRONG])
def test_a_wrong_scenario_is_located(write, old: str, new: str, needle: str, says: str) -> None:  # type: ignore[no-untyped-def]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    file = write(text)
    with pytest.raises(ConfigError) as caught:
        load_scenario(file)
    lines = str(caught.value).splitlines()
    where = [line for line in lines if line.startswith(str(file))]
    found = next((line for line in where if says in line), where[0] if where else "")
    assert says in str(caught.value)
    start = text.index(new) if new and needle in new else 0
    at = text.index(needle, start)
    expected = f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
    assert found.startswith(f"{file}:{expected}: "), str(caught.value)


@pytest.mark.parametrize(
    ("override", "value", "says"),
    [
        ("sede", 3, "unknown field 'sede'"),
        ("weights.dtyp", "int4", "unknown field 'dtyp'"),
        ("weights.group", 32, "has no effect: 'dtype' is absent"),
        ("npu.srma", "1 KiB", "unknown field 'srma'"),
        ("soc.npu.dma.bandwidth", "1 s", "expected a bandwidth"),
        ("execution", "fast", "unknown execution 'fast'; known: dataflow"),
        ("models.9", "alexnet", "items are numbered 0 to 3"),
    ],
)
def test_a_wrong_override_is_blamed(write, override: str, value: object, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        load_scenario(write(GOOD), {override: value})
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"--set {override}: ")


@pytest.mark.parametrize("name", list(shipped("scenarios")))
def test_every_shipped_scenario_loads_under_its_own_name(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    again = load_scenario(f"scenarios/{name}.yaml")
    assert (again.name, again.soc) == (scenario.name, scenario.soc)


def test_an_unknown_scenario_suggests_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'quickstart'"):
        load_scenario("quikstart")


def test_paper_seven_holds_the_four_published_percentages() -> None:
    scenario = load_scenario("paper_seven")
    assert len(scenario.models) == 7
    assert scenario.execution == "barrier"
    assert scenario.reference is not None
    found = {
        (row.model, row.baseline): row.improvement_percent
        for row in scenario.reference.improvements
    }
    assert found == {
        ("squeezenet", "type_based"): 5.03,
        ("resnet50", "profile_greedy"): 7.18,
        ("resnet18", "profile_greedy"): 5.36,
        ("squeezenet", "profile_greedy"): 2.73,
    }
