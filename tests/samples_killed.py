"""Processes that die at a chosen step: the hard way to ask whether anything is lost."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

STEPS = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "open"})
"""Audit events of whatever changes a directory, and of opening files."""


def dies_at(step: int, work: Callable[[], object], within: Path) -> bool:
    """Does ``work`` in a process that dies before step number ``step``; whether it died.

    A step is an operation on a file system that names something below ``within``.
    """
    child = os.fork()
    if child == 0:
        left = [step]

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if event in STEPS and str(within) in str(arguments[0]):
                left[0] -= 1
                if left[0] < 0:
                    os._exit(99)

        sys.addaudithook(hook)
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 99), "the work itself failed"
    return code == 99
