"""The kinds of results that directories hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hetsim.analysis.result import Result
from hetsim.analysis.serving.result import ServedResult
from hetsim.report.files.kind import Kind
from hetsim.report.files.serving.kind import SERVED
from hetsim.report.files.single import SINGLE

KINDS: dict[type, Kind[Any]] = {Result: SINGLE, ServedResult: SERVED}
"""By what they are results of."""


def kind_of(result: object) -> Kind[Any]:
    """The kind of a result."""
    return KINDS[type(result)]


def kind_in(directory: Path) -> Kind[Any] | None:
    """The kind of the result that a directory holds; ``None`` when it holds none."""
    return next((kind for kind in KINDS.values() if (directory / kind.archive).exists()), None)
