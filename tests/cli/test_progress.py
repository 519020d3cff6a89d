"""The progress bar: on standard error, and only when somebody looks."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager

import pytest

from hetsim.cli.main import entry
from hetsim.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_a_line_now_and_then_and_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar() as progress:
        progress("resnet18 · heft", 3, 8)
    assert sys.stderr.getvalue() == ""
    monkeypatch.setattr("hetsim.cli.progress.EVERY_S", 0.0)
    with progress_bar() as progress:
        progress("resnet18 · heft", 3, 8)
    assert sys.stderr.getvalue() == "0 s: 3 of 8 done, now resnet18 · heft\n"


def test_a_terminal_sees_what_is_done_and_standard_output_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar() as progress:
        assert progress is not None
        progress("resnet18 · heft", 3, 8)
        progress("done", 8, 8)
    assert "3/8" in sys.stderr.getvalue() or "8/8" in sys.stderr.getvalue()
    assert capsys.readouterr().out == ""


def test_names_that_look_like_markup_are_shown_as_they_are(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar() as progress:
        assert progress is not None
        progress("[red]model[/]x", 0, 1)
    assert "[red]model[/]x" in sys.stderr.getvalue()


def test_quiet_means_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar(wanted=False) as progress:
        assert progress is None


@pytest.mark.slow
def test_a_run_tells_what_it_simulates_and_then_what_it_draws(monkeypatch, tmp_path):
    told: list[tuple[str, int, int]] = []

    @contextmanager
    def recorder(*, wanted: bool = True):
        yield lambda what, done, total: told.append((what, done, total))

    monkeypatch.setattr("hetsim.cli.run.progress_bar", recorder)
    assert entry(["run", "paper_one", "--quiet", "-o", str(tmp_path / "out")]) == 0
    assert all(0 <= done <= total for _, done, total in told)
    said = [what for what, _, _ in told]
    assert said[0] == "squeezenet · type_based"
    assert said.index("gantt-squeezenet-partition_tuner.svg") > said.index("done")
