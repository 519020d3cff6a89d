"""Studies from a notebook: ``hetsim.whatif``, ``compare``, ``sweep`` and ``explore``.

Each takes a scenario by shipped name, path, or as loaded, and returns an object that a notebook
shows as a table and whose figures are functions of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hetsim.errors import Location
from hetsim.executors.registry import executor
from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.study.axes import Axis, axis_of
from hetsim.study.compare import study as _compare
from hetsim.study.compare.result import Comparison
from hetsim.study.explore import study as _explore
from hetsim.study.explore.objectives import parse_constraint
from hetsim.study.explore.result import Exploration
from hetsim.study.sweep import study as _sweep
from hetsim.study.sweep.result import Sweep
from hetsim.study.whatif import study as _whatif
from hetsim.study.whatif.result import WhatIf

Vary = Mapping[str, object]
"""Paths and their values: a list, or text such as ``"128KiB..4MiB:log2"``."""


def whatif(
    scenario: str | Path | Scenario, *, only: Sequence[str] = (), workers: int = 1, **options: Any
) -> WhatIf:
    """What each parameter of the SoC is worth; see :func:`hetsim.study.whatif.study.whatif`.

    Raises:
        HetsimError: an input that cannot be used.
    """
    return _whatif.whatif(_loaded(scenario), only=only, executor=executor(workers), **options)


def compare(
    scenario: str | Path | Scenario, variants: Mapping[str, Mapping[str, object]], **options: Any
) -> Comparison:
    """Named variants side by side; see :func:`hetsim.study.compare.study.compare`.

    Raises:
        HetsimError: an input that cannot be used.
    """
    return _compare.compare(_loaded(scenario), variants, **options)


def sweep(
    scenario: str | Path | Scenario,
    vary: Vary,
    *,
    store: str | Path | None = None,
    workers: int = 1,
    dask: str | None = None,
    **options: Any,
) -> Sweep:
    """A grid of variants; see :func:`hetsim.study.sweep.study.sweep` for ``options``.

    Several ``workers`` are processes that import the main module again, so a script needs
    ``if __name__ == "__main__":`` around its work; a notebook does not.

    Raises:
        HetsimError: an input that cannot be used.
    """
    place = None if store is None else Path(store)
    return _sweep.sweep(
        _loaded(scenario),
        _axes(vary),
        store=place,
        executor=executor(workers, dask=dask),
        **options,
    )


def explore(
    scenario: str | Path | Scenario,
    vary: Vary,
    *,
    constraints: Sequence[str] = (),
    workers: int = 1,
    dask: str | None = None,
    **options: Any,
) -> Exploration:
    """The best designs; see :func:`hetsim.study.explore.study.explore` for ``options``.

    Raises:
        HetsimError: an input that cannot be used.
    """
    return _explore.explore(
        _loaded(scenario), _axes(vary), constraints=[parse_constraint(c) for c in constraints],
        executor=executor(workers, dask=dask), **options,
    )  # fmt: skip


def _loaded(scenario: str | Path | Scenario) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else load_scenario(scenario)


def _axes(vary: Vary) -> tuple[Axis, ...]:
    return tuple(axis_of(path, given, Location(f"vary {path}")) for path, given in vary.items())
