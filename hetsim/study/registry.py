"""The kinds of studies: a table of those that ship with hetsim, and those of installed packages.

Nothing is imported before it is asked for. A name is the verb of the command line; one class may
serve further kinds, as ``whatif`` does comparisons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import installed, load_class

if TYPE_CHECKING:
    from hetsim.study.base import Study

GROUP = "hetsim.studies"
"""The entry-point group in which other packages register subclasses of ``Study``."""

STUDIES: dict[str, tuple[str, str]] = {
    "tune": (
        "hetsim.study.tune.study:TuneStudy",
        "Search for better plans with the simulator in the loop.",
    ),
    "whatif": (
        "hetsim.study.whatif.study:WhatIfStudy",
        "Find the bottleneck and what each hardware change would gain.",
    ),
    "sweep": (
        "hetsim.study.sweep.study:SweepStudy",
        "Simulate a grid of variants; resumable.",
    ),
    "explore": (
        "hetsim.study.explore.study:ExploreStudy",
        "Search the design space under constraints.",
    ),
}
"""Where each class is, and the first line of its help."""


def studies() -> dict[str, str]:
    """The line that ``hetsim --help`` shows for each study there is."""
    others = {point.name: f"A study of {point.module}." for point in installed(GROUP)}
    return {**others, **{name: line for name, (_, line) in STUDIES.items()}}


def find_study(name: str) -> type[Study[Any]]:
    """The class behind ``name``.

    Raises:
        ConfigError: no such study, or one that :func:`hetsim.plugins.load_class` refuses.
    """
    from hetsim.study.base import Study

    others = {point.name: point.value for point in installed(GROUP)}
    path = STUDIES[name][0] if name in STUDIES else others.get(name)
    if path is None:
        raise ConfigError(f"there is no study {name!r}", hint=suggest(name, studies()))
    return load_class(path, Study, f"study {name!r}")  # type: ignore[type-abstract]
