"""The page on validation quotes what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hetsim
from hetsim.executors.serial import SerialExecutor
from hetsim.validate.base import Setting
from hetsim.validate.limits import read_limits
from hetsim.validate.registry import checks, find_checks
from hetsim.validate.report import errors_table
from hetsim.validate.run import run_checks
from hetsim.validate.tables import Tables

PAGE = Path(hetsim.__file__).parents[1] / "docs" / "background" / "validation.md"
if not PAGE.is_file():
    pytest.skip("docs are not part of the installed package", allow_module_level=True)

CHEAP = ("simgrid", "scale-sim", "npu-dma")


def quoted() -> dict[str, list[str]]:
    """Words of each line of the quoted table by the first one."""
    (block,) = re.findall(r"^```\n(check .*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    lines = [line.split() for line in block.splitlines()[1:] if not line.startswith(" ")]
    return {words[0]: words for words in lines}


def test_every_check_stands_in_both_tables_with_what_it_compares() -> None:
    text = PAGE.read_text("utf-8")
    assert list(quoted()) == [name for name, check in checks().items() if not check.on_host]
    for name, check in checks().items():
        assert f"| `{name}` | {check.kind} | {check.compared} |" in text


@pytest.mark.slow
def test_its_figures_are_those_of_the_command() -> None:
    outcomes = run_checks(find_checks(CHEAP), Setting(Tables()), read_limits(), SerialExecutor())
    for line in errors_table(outcomes).rows:
        words = " ".join(str(cell) for cell in line[:5]).split()
        assert quoted()[words[0]][: len(words)] == words
