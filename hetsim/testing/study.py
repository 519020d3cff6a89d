"""What every kind of study owes: one question, one answer, whoever works and in whatever order.

The kit asks the question that ``arguments`` mean, as the command line would, of one small network
on a small SoC. Nothing is written outside a temporary directory.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import onnx
import onnx.parser

from hetsim.cli.main import entry
from hetsim.cli.studies import study_command
from hetsim.executors.base import Bench, Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.overrides import split_assignment
from hetsim.report.page.study import Page
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.study.base import Study
from hetsim.study.registry import find_study
from hetsim.study.result import Rows, Words
from hetsim.testing.kit import Kit

SCENARIO = """\
hetsim: scenario/1
name: kit
soc: edge-mcu
models: [{path: kit.onnx}]
schedulers: [type_based]
"""

NETWORK = """\
<ir_version: 8, opset_import: ["" : 17]>
kit (float[1,16,16,16] data, float[16,16,3,3] v, float[16,16,3,3] w) => (float[1,16,16,16] result)
{
    a = Conv <pads = [1,1,1,1]> (data, v)
    b = Conv <pads = [1,1,1,1]> (data, w)
    c = Add (a, b)
    result = Softmax (c)
}
"""
"""Two branches that meet, which :mod:`onnx.parser` reads; studies of it take milliseconds."""

BROKEN = """\
from hetsim.schedulers.base import Scheduler


class Broken(Scheduler):
    name = "broken"

    def plan(self, problem):
        raise RuntimeError("it never works")
"""

Contents = Mapping[str, str | bytes]


class Elsewhere(Executor[Any, Any]):
    """Like workers on another machine: everything is pickled on its way, and the last comes first.

    Nothing but this process is needed.
    """

    slots = 3

    def __init__(self) -> None:
        self._bench: Bench[Any, Any] | None = None
        self._waiting: list[tuple[int, bytes]] = []

    def start(self, bench: Bench[Any, Any]) -> None:
        self._bench = pickle.loads(pickle.dumps(bench))

    def submit(self, number: int, job: Any) -> None:
        self._waiting.append((number, pickle.dumps(job)))

    def wait(self) -> list[tuple[int, Any]]:
        assert self._bench is not None
        number, job = self._waiting.pop()
        answer = self._bench.evaluate(pickle.loads(job))
        return [(number, pickle.loads(pickle.dumps(answer)))]

    def stop(self) -> None:
        self._waiting.clear()


class StudyKit(Kit):
    """Checks one kind of study.

    ``name`` is its verb, ``arguments`` ask it something small, and ``other`` something else.
    ``scenario`` is the text of the scenario. ``timeless`` are files and members of ``KIND.json``
    that may differ from run to run, such as how long it took.
    """

    name: ClassVar[str]
    arguments: ClassVar[Sequence[str]] = ()
    other: ClassVar[Sequence[str]] = ()
    scenario: ClassVar[str] = SCENARIO
    timeless: ClassVar[Sequence[str]] = ()

    @property
    def cls(self) -> type[Study[Any]]:
        """The class behind the verb."""
        return find_study(self.name)

    def ask(self, arguments: Sequence[str], file: str = "kit.yaml") -> Study[Any]:
        """The study of the scenario in the working directory that ``arguments`` mean.

        Raises:
            click.UsageError, HetsimError: the arguments are wrong.
        """
        command = study_command(self.name, self.cls)
        options = command.make_context(self.name, [file, *arguments]).params
        self.cls.check(options)
        scenario = choose(
            load_scenario(file, dict(map(split_assignment, options.get("changes") or ()))),
            models=options["models"],
            schedulers=options["schedulers"] or None,
            execution=options["execution"],
            fidelity=options["fidelity"],
            seed=options["seed"],
        )
        return self.cls.asked(scenario, options)

    def test_the_class_says_what_it_is(self) -> None:
        assert self.cls.kind.isidentifier(), f"its kind is {self.cls.kind!r}"
        assert (self.cls.__doc__ or "").strip(), "without a docstring, the verb has no help"
        code, out, err = _hetsim(self.name, "--help")
        assert code == 0, err
        for option in (*self.cls.options, *self.cls.keeping):
            assert any(name in out for name in option.opts), f"--help does not tell {option.opts}"
        names = [p.name for p in study_command(self.name, self.cls).params]
        twice = {name for name in names if names.count(name) > 1}
        assert not twice, f"options that all studies have, or that stand twice: {sorted(twice)}"

    def test_the_same_question_has_the_same_identity(self) -> None:
        with self._workdir():
            first, again = self.ask(self.arguments), self.ask(self.arguments)
            assert first.identity == again.identity, "asked the same, it is another study"
            if self.other:
                told = "asked something else, it is the same study"
                assert self.ask(self.other).identity != first.identity, told

    def test_the_answer_depends_on_the_question_alone(self) -> None:
        answers = []
        for executor in (SerialExecutor[Any, Any](), Elsewhere(), SerialExecutor[Any, Any]()):
            with self._workdir(), executor:
                study = self.ask(self.arguments)
                answers.append(self._lasting(study, study.report(study.run(executor))[1]))
        first, others, again = answers
        assert first == again, f"asked again: {_differing(first, again)}"
        assert first == others, f"answered elsewhere: {_differing(first, others)}"

    def test_what_it_kept_changes_nothing(self) -> None:
        with self._workdir():
            answers = []
            for _ in range(2):  # in one directory, so that whatever it keeps is found
                study = self.ask(self.arguments)
                with Elsewhere() as executor:
                    files = study.report(study.run(executor))[1]
                answers.append(self._lasting(study, files))
            first, again = answers
            assert again == first, f"from what it kept: {_differing(first, again)}"

    def test_the_report_is_complete(self) -> None:
        with self._workdir(), SerialExecutor[Any, Any]() as executor:
            study = self.ask(self.arguments)
            result = study.run(executor)
            page, files = study.report(result)
            assert isinstance(page, Page), f"its page is a {type(page).__name__}"
            assert f"{study.kind}.json" in files, f"no {study.kind}.json among {sorted(files)}"
            json.loads(files[f"{study.kind}.json"])
            for name in files:
                assert name not in ("report.html", "manifest.json"), f"{name} is not its to write"
                assert Path(name).name == name, f"{name!r} leads out of the directory"
            assert study.headline(result).strip(), "its headline is empty"
            for block in study.shown(result):
                assert isinstance(block, Rows | Words), f"{type(block).__name__} cannot be shown"
                if isinstance(block, Rows):
                    odd = [row for row in block.rows if len(row) != len(block.columns)]
                    assert not odd, f"rows that do not fit {block.columns}: {odd[:3]}"
            failures = list(study.failures(result))
            assert all(isinstance(line, str) and line for line in failures), failures
            told = f"exit code {study.exit_code(result)} with {len(failures)} failures"
            assert (study.exit_code(result) == 0) == (not failures), told

    def test_the_verb_writes_its_directory_and_replaces_only_its_own(self) -> None:
        with self._workdir():
            arguments = (self.name, "kit.yaml", "--workers", "1", "-o", "out")
            for _ in range(2):
                code, out, err = _hetsim(*arguments, *self.arguments)
                assert code == 0, f"exit code {code}: {err}"
                assert "out" in out, "it does not say where its results are"
            written = {path.name for path in Path("out").iterdir()}
            expected = {"report.html", "manifest.json", f"{self.cls.kind}.json"}
            assert written >= expected, f"missing: {sorted(expected - written)}"
            if self.other:
                code, _, err = _hetsim(*arguments, *self.other)
                assert code == 2, "it took the directory of another study"
                assert "out" in err, f"it does not say which directory is in the way: {err}"

    def test_a_scheduler_that_raises_is_told_and_no_crash(self) -> None:
        with self._workdir():
            Path("broken.py").write_text(BROKEN, encoding="utf-8")
            code, _, err = _hetsim(
                self.name, "kit.yaml", "--workers", "1", "-o", "out", *self.arguments,
                "--scheduler", "broken.py:Broken",
            )  # fmt: skip
            assert code in (0, 2), f"exit code {code}, which is that of a defect: {err}"

    @contextlib.contextmanager
    def _workdir(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
            Path("kit.yaml").write_text(self.scenario, encoding="utf-8")
            model = onnx.parser.parse_model(NETWORK)
            for weights in ("v", "w"):
                values = [0.5] * 2304
                model.graph.initializer.append(
                    onnx.helper.make_tensor(weights, onnx.TensorProto.FLOAT, [16, 16, 3, 3], values)
                )
            onnx.save(model, "kit.onnx")
            yield Path(directory)

    def _lasting(self, study: Study[Any], files: Contents) -> Contents:
        """The files but for what may differ from run to run, and for where it ran."""
        here = str(Path.cwd())
        kept = {
            name: content.replace(here, ".") if isinstance(content, str) else content
            for name, content in files.items()
            if name not in self.timeless
        }
        main = f"{study.kind}.json"
        if main in kept:
            kept[main] = json.dumps(_without(json.loads(kept[main]), self.timeless), indent=1)
        return kept


def _without(data: Any, names: Sequence[str]) -> Any:
    if isinstance(data, dict):
        return {key: _without(value, names) for key, value in data.items() if key not in names}
    return [_without(value, names) for value in data] if isinstance(data, list) else data


def _differing(one: Contents, other: Contents) -> str:
    """Where two sets of files differ first."""
    for name in sorted({*one, *other}):
        left, right = one.get(name, "(not there)"), other.get(name, "(not there)")
        if left != right:
            lines = zip(str(left).splitlines(), str(right).splitlines(), strict=False)
            first = next((f"{a.strip()} and {b.strip()}" for a, b in lines if a != b), "length")
            return f"{name} differs: {first[:200]}"
    return "nothing differs"


def _hetsim(*arguments: str) -> tuple[int, str, str]:
    """Exit code and outputs of a command."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        code = entry(list(arguments))
    return code, out.getvalue(), err.getvalue()
