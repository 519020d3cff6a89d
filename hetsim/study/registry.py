"""The kinds of studies: a table of those that ship with hetsim, and those of installed packages.

Nothing is imported before it is asked for. A name is the verb of the command line; one class may
serve further kinds, as ``whatif`` does comparisons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.plugins import installed, load

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
    others = {name: f"A study of {entry.module}." for name, entry in installed(GROUP).items()}
    return {**others, **{name: line for name, (_, line) in STUDIES.items()}}


def find_study(name: str) -> type[Study[Any]]:
    """The class behind ``name``.

    Raises:
        ConfigError: no such study, or one that cannot be imported or is something else.
    """
    from hetsim.study.base import Study

    if name in STUDIES:
        path = STUDIES[name][0]
    elif name in (others := installed(GROUP)):
        path = others[name].value
    else:
        raise ConfigError(f"there is no study {name!r}", hint=suggest(name, studies()))
    found = load(path, f"study {name!r}")
    if not (isinstance(found, type) and issubclass(found, Study)):
        raise ConfigError(
            f"{path} is not a study", hint="a study is a subclass of hetsim.study.base.Study"
        )
    return found
