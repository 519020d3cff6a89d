"""What every ending of the command line looks like from the shell."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import click
import pytest

import hetsim
from hetsim.cli import main
from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.study.registry import STUDIES


def run_python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options
    )


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Puts a verb ``run`` in place that does whatever the test wants."""

    def install(action: Callable[[], object]) -> None:
        command = click.Command("run", callback=action, help="For a test.")
        monkeypatch.setattr(
            main.LazyGroup,
            "get_command",
            lambda self, ctx, name: command if name == "run" else None,
        )
        monkeypatch.setattr(main.LazyGroup, "list_commands", lambda self, ctx: ["run"])

    return install


def raiser(error: BaseException) -> Callable[[], object]:
    def action() -> object:
        raise error

    return action


def test_an_input_error_is_one_located_message_and_exit_code_2(verb, capsys):
    where = Location("socs/mine.yaml", 12, 5)
    verb(raiser(ConfigError("bandwidth '3 GHz' is no bandwidth", where=where, hint="try '3 GB/s'")))
    assert main.entry(["run"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: socs/mine.yaml:12:5: bandwidth '3 GHz' is no bandwidth\n  try '3 GB/s'\n"
    )


def test_a_defect_shows_its_traceback_and_says_whose_fault_it_is(verb, capsys):
    verb(raiser(ZeroDivisionError("oops")))
    assert main.entry(["run"]) == 1
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "ZeroDivisionError: oops" in err
    assert f"defect of hetsim {hetsim.__version__}" in err.splitlines()[-1]


def test_an_interruption_is_130_without_a_traceback(verb, capsys):
    verb(raiser(KeyboardInterrupt()))
    assert main.entry(["run"]) == 130
    err = capsys.readouterr().err
    assert err.strip() == "interrupted"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_or_forbidden_disk_is_not_a_defect(verb, capsys, number):
    verb(raiser(OSError(number, os.strerror(number), "results/x")))
    assert main.entry(["run"]) == 2
    err = capsys.readouterr().err
    assert err == f"error: results/x: {os.strerror(number)}\n"


def test_an_unexplained_missing_file_is_a_defect(verb, capsys):
    verb(raiser(FileNotFoundError(errno.ENOENT, "No such file", "internal")))
    assert main.entry(["run"]) == 1
    assert "defect of hetsim" in capsys.readouterr().err


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (2, 2)])
def test_the_verb_chooses_the_exit_code(verb, returned, code):
    verb(lambda: returned)
    assert main.entry(["run"]) == code


@pytest.mark.parametrize("arguments", [["--nonsense"], ["run", "--nonsense"], ["rnu"]])
def test_wrong_usage_is_exit_code_2_with_one_message(verb, capsys, arguments):
    verb(lambda: None)
    assert main.entry(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "--help" in err
    assert "Traceback" not in err


def test_a_misspelt_verb_gets_a_suggestion(verb, capsys):
    verb(lambda: None)
    main.entry(["runn"])
    assert "did you mean 'run'" in capsys.readouterr().err


def test_without_a_verb_help_is_shown(capsys):
    assert main.entry([]) == 0
    assert "Usage: hetsim" in capsys.readouterr().out


def test_listed_verbs_are_exactly_the_studies_and_modules_there_are():
    with click.Context(main.cli) as context:
        listed = main.cli.list_commands(context)
    assert listed
    assert set(listed) <= set(main.VERBS)
    assert set(STUDIES) <= set(listed)
    for name in set(main.VERBS) - set(STUDIES):
        if name in listed:
            assert isinstance(import_module(f"hetsim.cli.{name}").command, click.Command)
        else:
            with pytest.raises(ModuleNotFoundError):
                import_module(f"hetsim.cli.{name}")


def test_the_help_line_of_each_verb_is_its_own_summary():
    with click.Context(main.cli) as context:
        for name in main.cli.list_commands(context):
            command = main.cli.get_command(context, name)
            assert command is not None
            assert command.help is not None
            assert command.help.splitlines()[0] == main.VERBS[name]


def test_help_and_import_load_no_heavy_library():
    code = (
        "import sys, hetsim\n"
        "from hetsim.cli.main import entry\n"
        "entry(['--help'])\n"
        "heavy = {'onnx', 'numpy', 'scipy', 'highspy', 'matplotlib', 'plotly', 'pydantic',"
        " 'networkx', 'rich', 'simpy', 'yaml', 'jinja2', 'pandas', 'ortools'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_module_and_version():
    done = run_python("-m", "hetsim", "--version")
    assert done.returncode == 0
    assert done.stdout == f"hetsim {hetsim.__version__}\n"


def test_a_closed_pipe_ends_quietly():
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hetsim", "--help"],
            stdout=write_end,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(write_end)
    assert done.stderr == ""
    assert done.returncode == 141


def test_public_names_are_importable_and_unknown_ones_are_attribute_errors():
    for name in hetsim.__all__:
        assert getattr(hetsim, name) is not None, name
        assert name in dir(hetsim)
    assert hetsim.HetsimError is HetsimError
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hetsim.nothing
