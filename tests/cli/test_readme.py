"""The README says only what works: its commands are run here, and the examples of the docs too."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import hetsim
from hetsim.cli import main
from hetsim.testing import DispatcherKit

ROOT = Path(hetsim.__file__).parents[1]
README = ROOT / "README.md"

if not README.exists():  # an installed wheel has no README beside it
    pytest.skip("the README is not part of the installed package", allow_module_level=True)

TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def example(name: str) -> str:
    """The code block that a page of docs/ calls ``name``."""
    pages = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md"))]
    pattern = rf"<!-- example: {name} -->\n```\w+\n(.*?)^```"
    (code,) = [code for page in pages for code in re.findall(pattern, page, re.M | re.S)]
    return str(code)


def execute(code: str, names: dict[str, object]) -> None:
    exec(compile(code, "README.md", "exec", dont_inherit=True), names)


def setup_lines() -> list[str]:
    return [line for line in TEXT.splitlines() if line.startswith("python3 -m venv")]


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """A directory with the files that the README's commands speak of."""
    monkeypatch.chdir(tmp_path)
    save_network(tmp_path / "mine.onnx")
    (tmp_path / "least_loaded.py").write_text(example("scheduler"), encoding="utf-8")
    return tmp_path


def save_network(path: Path) -> None:
    """One Relu of 3 x 64 x 64 elements, called ``mine``."""
    shapes = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 64, 64])
              for name in ("data", "result")}  # fmt: skip
    node = helper.make_node("Relu", ["data"], ["result"], name="relu")
    graph = helper.make_graph([node], "mine", [shapes["data"]], [shapes["result"]])
    onnx.save(helper.make_model(graph), path)


def test_one_line_sets_up_and_runs_another_sets_up_and_tests():
    run, test = setup_lines()
    assert run.endswith("-m hetsim run scenarios/paper_seven.yaml")
    assert "pytest" in test
    for line in (run, test):
        assert re.search(r"\.venv/bin/pip install .*-e ", line)
    assert (ROOT / "scenarios" / "paper_seven.yaml").is_file()


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extract = re.search(r'test_command="\$\((grep .*)\)"', script)
    assert extract, "where .ci/run takes the command from the README"
    found = subprocess.run(
        ["bash", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == setup_lines()[1]


def test_the_table_of_commands_is_complete():
    with_help = re.search(r"<!-- verbs:begin -->\n(.*?)<!-- verbs:end -->", TEXT, re.DOTALL)
    assert with_help
    rows = re.findall(r"^\| `hetsim (\w+)` \| (.*?) \|$", with_help[1], re.MULTILINE)
    listed = main.cli.list_commands(main.click.Context(main.cli))
    assert dict(rows) == {verb: main.VERBS[verb] for verb in listed}


@pytest.mark.slow
def test_every_hetsim_command_in_the_readme_works(workdir, capsys):
    commands = [
        shlex.split(line, comments=True)[1:]
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("hetsim ")
    ]
    assert len(commands) >= 4
    for arguments in commands:
        assert main.entry(arguments) == 0, (arguments, capsys.readouterr().err)


@pytest.mark.slow
def test_the_example_scheduler_makes_plans_that_run(workdir):
    result = hetsim.run("paper_one", schedulers=["./least_loaded.py:LeastLoaded"])
    assert [(run.scheduler, run.error) for run in result.runs] == [("LeastLoaded", None)]


@pytest.mark.slow
def test_the_python_example_runs(capsys):
    pytest.importorskip("pandas")
    names: dict[str, object] = {}
    execute(example("python"), names)
    assert len(names["frame"]) == len(names["result"].runs)  # type: ignore[attr-defined, arg-type]
    assert "inception_v2 partition_tuner_tuned" in capsys.readouterr().out


@pytest.mark.slow
def test_the_readmes_python_runs(capsys):
    (code,) = blocks("python")
    execute(code, {})
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.slow
def test_the_example_with_objects_runs(capsys):
    execute(example("objects"), {})
    labels = {
        line.partition(" / ")[2].partition(":")[0] for line in capsys.readouterr().out.splitlines()
    }
    assert labels == {"", "Mine", "Mine(other=mosaic)", "heft"}


@pytest.mark.slow
def test_the_example_soc_runs(workdir):
    (workdir / "tiny.yaml").write_text(example("soc"), encoding="utf-8")
    (workdir / "mine.yaml").write_text(example("soc scenario"), encoding="utf-8")
    result = hetsim.run("mine.yaml")
    assert [run.scheduler for run in result.runs] == ["cpu_only", "type_based", "heft"]
    assert not result.failed


def test_the_readme_quotes_what_the_page_on_the_papers_study_shows():
    quoted = re.search(r"^```\n(Published figures.*?)^```", TEXT, re.M | re.S)
    assert quoted
    page = (ROOT / "docs" / "background" / "paper.md").read_text(encoding="utf-8")
    assert quoted[1] in page


def test_every_task_of_the_noxfile_is_in_the_readme():
    code = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    tasks = re.findall(r'^@nox\.session(?:\(name="([\w-]+)"\))?\ndef (\w+)', code, re.MULTILINE)
    assert len(tasks) >= 9
    table = TEXT.partition("| task | command |")[2]
    for named, function in tasks:
        assert f"`{named or function}`" in table


def test_the_readme_is_short():
    assert len(TEXT.splitlines()) < 250


@pytest.mark.slow
def test_the_example_scenario_runs(workdir):
    (workdir / "mine.yaml").write_text(example("scenario"), encoding="utf-8")
    result = hetsim.run("mine.yaml")
    assert {run.model for run in result.runs} == {"squeezenet", "mine"}
    assert not result.failed


@pytest.mark.slow
def test_the_example_of_streams_runs(workdir):
    (workdir / "door.yaml").write_text(example("streams"), encoding="utf-8")
    result = hetsim.run("door.yaml", {"serve.duration": "700 ms"}, schedulers=["type_based"])
    assert not result.failed
    assert [run.dispatcher for run in result.runs] == ["priority", "preemptive"]
    for run in result.runs:
        assert {found.stream.name for found in run.streams} == {"camera", "faces", "album"}
        assert run.stream("camera").metrics["misses"] == 0.0


def soc_file(directory: Path, old: str, new: str) -> None:
    """A network, and a scenario of it on a SoC that says ``new`` for ``old``."""
    directory.mkdir()
    text = (ROOT / "socs" / "edge-mcu.yaml").read_text(encoding="utf-8")
    assert old in text
    (directory / "soc.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    save_network(directory / "mine.onnx")
    (directory / "mine.yaml").write_text(
        "hetsim: scenario/1\nname: mine\nsoc: ./soc.yaml\nmodels: [mine.onnx]\n"
        "schedulers: [cpu_only]\n",
        encoding="utf-8",
    )


def entry_points() -> dict[str, dict[str, str]]:
    """What the page on extending hetsim declares: by group, module and class by name."""
    page = (ROOT / "docs" / "howto" / "extending.md").read_text(encoding="utf-8")
    (declared,) = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    points = tomllib.loads(declared)["project"]["entry-points"]
    assert all(f"| `{group}` |" in page for group in points)
    return dict(points)


EXAMPLES = ("scheduler", "pu kind", "model format", "cost source", "metric", "study")
"""In the order of the page's entry points."""


def test_the_entry_points_of_the_docs_name_the_examples():
    for code, named in zip(map(example, EXAMPLES), entry_points().values(), strict=True):
        ((name, value),) = named.items()
        module, _, attribute = value.partition(":")
        assert module == name
        assert code.startswith(f'"""{module}.py: ')
        assert re.search(rf"^(class )?{attribute}\b", code, re.M)


PROGRAM = """
import contextlib, io, json
import hetsim
from hetsim.cli.main import entry

def said(*words):
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")) as out:
        assert entry(list(words)) == 0
        out.seek(0)
        return out.read()

kind = hetsim.simulate(hetsim.load_soc("kind/soc.yaml"), hetsim.load_model("./kind/mine.onnx"),
                       hetsim.load_plan("kind/plan.yaml"))
source = hetsim.run("source/mine.yaml").runs[0]
print(json.dumps({
    "kind": kind.makespan_s,
    "macs": hetsim.load_model("mlp.layers").macs,
    "source": [source.makespan_s, source.operators[0].cost_source],
    "metric": said("run", "paper_one", "--json"),
    "study": said("extremes", "paper_one", "--vary", "dram.bandwidth", "--workers", "1"),
}))
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """What a process says in whose environment a package of all those examples is installed."""
    directory = tmp_path_factory.mktemp("extended")
    info = directory / "site" / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    lines = []
    for code, (group, named) in zip(map(example, EXAMPLES), entry_points().items(), strict=True):
        ((name, value),) = named.items()
        (info.parent / f"{name}.py").write_text(code, encoding="utf-8")
        lines += [f"[{group}]", f"{name} = {value}"]
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    soc_file(
        directory / "kind",
        "pus:\n",
        "pus:\n  slow: {kind: fixed_rate, path: [bus, sdram], operations_per_second: 1.0e+6,\n"
        "         operating_points: {only: {clock: 1 MHz}}}\n",
    )
    _plan_file(directory / "kind", hetsim.load_model(directory / "kind" / "mine.onnx"))
    cpu = "  cpu:\n    kind: cpu_cluster\n"
    soc_file(directory / "source", cpu, cpu + "    costs: {kind_times: times.yaml}\n")
    (directory / "source" / "times.yaml").write_text("Relu: 0.25\n", encoding="utf-8")
    (directory / "mlp.layers").write_text("784 128 10\n", encoding="utf-8")
    paths = (str(info.parent), str(ROOT), os.environ.get("PYTHONPATH", ""))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=directory, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_example_kind_of_pu_works(extended):
    assert extended["kind"] == pytest.approx(3 * 64 * 64 / 1e6, rel=0.01)


@pytest.mark.slow
def test_the_example_format_of_networks_works(extended):
    assert extended["macs"] == 784 * 128 + 128 * 10


@pytest.mark.slow
def test_the_example_cost_source_works(extended):
    seconds, source = extended["source"]
    assert seconds == pytest.approx(0.25, rel=0.01)
    assert source == "kind_times"


@pytest.mark.slow
def test_the_example_metric_is_told(extended):
    assert '"switches": 16' in extended["metric"]


@pytest.mark.slow
def test_the_example_study_is_a_verb(extended):
    assert "dram.bandwidth takes the makespan from 0.168 to 0.191 s" in extended["study"]


@pytest.mark.slow
def test_the_example_dispatcher_passes_its_kit(workdir):
    (workdir / "shortest.py").write_text(example("dispatcher"), encoding="utf-8")
    name = f"{workdir / 'shortest.py'}:Shortest"
    DispatcherKit.of(name=name, socs=["edge-mcu"], inferences=5).check()


def test_the_example_check_compares():
    names: dict[str, object] = {"__name__": "shared_link"}
    execute(example("check"), names)
    rows = list(names["SharedLink"]().rows(None, ""))  # type: ignore[operator]
    assert [row.reference for row in rows] == [2e-3, 0.2]
    assert all(abs(row.error) < 1e-9 for row in rows)


@pytest.mark.slow
def test_the_example_scheduler_passes_its_kit(workdir):
    names: dict[str, object] = {}
    execute(example("kit"), names)
    names["TestLeastLoaded"].check()  # type: ignore[attr-defined]


def _plan_file(directory: Path, network: object) -> Path:
    operators = ", ".join(op.name for op in network.operators)  # type: ignore[attr-defined]
    path = directory / "plan.yaml"
    path.write_text(
        "hetsim: plan/1\nmodel: mine\npartitions:\n"
        f"- {{name: p0, pu: slow, operators: [{operators}]}}\n",
        encoding="utf-8",
    )
    return path


def test_the_example_plan_is_a_plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(example("plan"), encoding="utf-8")
    assert hetsim.load_plan(path).model == "tiny"
