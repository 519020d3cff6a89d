"""Cost sources: their order, their files, and one that another package adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hetsim
from hetsim.cli.main import entry
from hetsim.cost.chain import CostChain
from hetsim.cost.learned.model import LearnedCostModel
from hetsim.cost.learned.source import ByCluster
from hetsim.cost.measured.files import dump_profile
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.cost.sources import cost_doubts, cost_files, cost_model, sources
from hetsim.errors import ConfigError
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.store import save_model
from hetsim.learn.tables import read_measurements
from hetsim.runs.case import Case
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.registry import create
from hetsim.soc.describe import describe_soc, soc_of
from hetsim.soc.loader import load_soc, soc_json_schema
from hetsim.study.point import Point, PointBench
from tests.installed import Install
from tests.installed import install as install
from tests.learn.samples import shapes, write_file

FOREIGN = '''
from hetsim.cost.chain import CostModel
from hetsim.cost.source import CostSource
from hetsim.cost.work import NOWHERE, Phase, Work


class Flat(CostModel):
    def __init__(self, seconds):
        self.seconds = seconds

    def work(self, graph, kernel, pu, residency=NOWHERE):
        if pu.cluster not in self.seconds:
            return None
        seconds = self.seconds[pu.cluster]
        return Work(0.0, seconds, (Phase("run", seconds, 0, 0, seconds),), source="flat")

    def floor(self, graph, op, pu):
        return 0.0 if pu.cluster in self.seconds else None

    def notes(self):
        return ["flat is flat"]


class FlatSource(CostSource):
    """Files that hold one number, seconds."""

    order = %s

    def model(self, soc, files, behind):
        return Flat({cluster: float(path.read_text()) for cluster, path in files.items()})

    def doubts(self, files):
        return [f"{cluster}: one number is not much" for cluster in files]


class Unfinished(CostSource):
    pass
'''


def group(**named: str) -> dict[str, dict[str, str]]:
    return {"hetsim.cost_sources": {name: f"foreign:{value}" for name, value in named.items()}}


@pytest.fixture
def soc(tmp_path: Path) -> Path:
    text = (Path(load_soc("edge-mcu").source)).read_text(encoding="utf-8")
    text = text.replace("  cpu:\n", "  cpu:\n    costs: {flat: seconds.txt}\n", 1)
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "seconds.txt").write_text("0.001")
    return path


def scenario_of(soc: Path) -> Path:
    path = soc.with_name("scenario.yaml")
    path.write_text(
        f"hetsim: scenario/1\nname: mine\nsoc: ./{soc.name}\n"
        "models: [squeezenet]\nschedulers: [cpu_only]\n"
    )
    return path


@pytest.mark.slow
def test_measurements_come_before_what_was_learned_before_first_principles(tmp_path: Path) -> None:
    assert [source.name for source in sources()] == ["measured", "learned"]
    table = read_measurements(write_file(tmp_path / "m.csv", shapes(40)))
    options = TrainingOptions(hidden=(4,), epochs=2)
    save_model(LearnedModel.fit(table, options=options), tmp_path / "l.npz")
    entries = [Entry("Relu[1x64x56x56>1x64x56x56] float32", 1.0)]
    profile = ProfileTable.of(entries, name="p", device="d", source="s", scope="kernel")
    (tmp_path / "p.yaml").write_text(dump_profile(profile))
    named = {"cpu.profile": str(tmp_path / "p.yaml"), "npu.learned": str(tmp_path / "l.npz")}
    chain = cost_model(load_soc("edge-mcu", named))
    assert isinstance(chain, CostChain)
    measured, behind = chain.models
    assert isinstance(measured, MeasuredModel)
    assert isinstance(behind, CostChain)
    assert isinstance(behind.models[0], ByCluster)
    assert isinstance(behind.models[0].models["npu"], LearnedCostModel)


def test_a_name_that_is_not_installed_is_located(soc: Path, install: Install) -> None:
    line = next(
        i for i, text in enumerate(soc.read_text().splitlines(), 1) if "costs: {flat" in text
    )
    with pytest.raises(ConfigError) as caught:
        load_soc(soc)
    assert f"mine.yaml:{line}:13: pus.cpu.costs.flat: no cost source is called 'flat'" in str(
        caught.value
    )
    install(FOREIGN % 0, group(flats="FlatSource"))
    with pytest.raises(ConfigError, match="did you mean 'flats'"):
        load_soc(soc)


@pytest.mark.slow
def test_a_source_from_outside_answers_for_the_units_that_name_it(
    soc: Path, install: Install
) -> None:
    install(FOREIGN % 0, group(flat="FlatSource"))
    loaded = load_soc(soc)
    assert cost_files(loaded) == [soc.with_name("seconds.txt")]
    assert cost_doubts(loaded) == ["cpu: one number is not much"]
    assert soc_of(describe_soc(loaded), str(soc)).spec == loaded.spec
    assert "costs" in str(soc_json_schema())
    graph = hetsim.load_model("squeezenet")
    run = Case(graph, loaded).run("cpu_only", create("cpu_only", {}))
    assert {row.cost_source for row in run.operators} == {"flat"}
    assert run.makespan_s == pytest.approx(0.001 * len(run.operators), rel=0.01)
    assert cost_model(loaded).notes() == ["flat is flat"]
    plain = load_soc("edge-mcu")
    assert (cost_files(plain), cost_doubts(plain)) == ([], [])
    (soc.with_name("seconds.txt")).unlink()
    with pytest.raises(ConfigError, match=r"pus\.cpu\.costs\.flat: there is no file"):
        cost_model(load_soc(soc))


@pytest.mark.parametrize(("order", "first"), [(0, "flat"), (150, "measured")])
def test_its_order_says_when_it_is_asked(install: Install, order: int, first: str) -> None:
    install(FOREIGN % order, group(flat="FlatSource"))
    assert sources()[0].name == first
    assert sources()[-1].name == "learned"


def test_its_files_tell_studies_apart(soc: Path, install: Install) -> None:
    install(FOREIGN % 0, group(flat="FlatSource"))
    bench = PointBench.of(load_scenario(scenario_of(soc)))
    point = Point("squeezenet", "cpu_only")
    before = bench.key(point)
    assert bench.key(point) == before
    soc.with_name("seconds.txt").write_text("0.0025")
    assert bench.key(point) != before


def test_sources_are_listed(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(FOREIGN % 0, group(flat="FlatSource"))
    assert entry(["list", "cost-sources", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == ["flat", "measured", "learned"]
    assert rows["flat"]["field"] == "costs.flat"
    assert rows["flat"]["origin"] == "foreign:FlatSource"
    assert rows["measured"]["field"] == "profile"


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ({"flat": "Lost"}, "cannot be loaded"),
        ({"flat": "Flat"}, r"is not a subclass of hetsim\.cost\.source\.CostSource"),
        ({"flat": "Unfinished"}, r"does not define model\(\)"),
        ({"learned": "FlatSource"}, "already in use"),
    ],
)
def test_a_broken_source_names_itself(install: Install, point: dict[str, str], says: str) -> None:
    install(FOREIGN % 0, group(**point))
    with pytest.raises(ConfigError, match=says):
        sources()
