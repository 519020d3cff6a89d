"""Studies from a notebook: ``hetsim.whatif``, ``compare``, ``sweep`` and ``explore``.

Each takes a scenario by shipped name, path, or as loaded, with ``models``, ``schedulers`` and
``soc`` in place of its own as :func:`hetsim.run` does, shows in a notebook how far it is, and
returns an object that a notebook shows as a page's charts and tables.

Several ``workers`` are processes that import the main module again, so a script needs
``if __name__ == "__main__":`` around its work; a notebook does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.executors.registry import executor
from hetsim.progress import Progress, told
from hetsim.scenario.choices import SomeModel, SomeScheduler, check_list, shown
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import asked
from hetsim.schedulers.base import Scheduler
from hetsim.soc.model import SoC
from hetsim.study.axes import Axis, axis_of
from hetsim.study.compare import study as _compare
from hetsim.study.compare.result import Comparison
from hetsim.study.compare.streams import StreamsComparison
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
    scenario: str | Path | Scenario,
    *,
    models: Sequence[SomeModel] = (),
    schedulers: Sequence[SomeScheduler] | None = None,
    soc: str | Path | SoC | None = None,
    only: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
    **options: Any,
) -> WhatIf:
    """What each parameter of the SoC is worth; see :func:`hetsim.study.whatif.study.whatif`.

    Raises:
        HetsimError: an input that cannot be used.
    """
    ready = _ready(scenario, models, schedulers, soc, workers)
    with told(progress) as teller:
        return _whatif.whatif(
            ready, only=only, executor=executor(workers), progress=teller, **options
        )


def compare(
    scenario: str | Path | Scenario,
    variants: Mapping[str, Mapping[str, object]],
    *,
    models: Sequence[SomeModel] = (),
    schedulers: Sequence[SomeScheduler] | None = None,
    soc: str | Path | SoC | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Comparison | StreamsComparison:
    """Named variants side by side; see :func:`hetsim.study.compare.study.compare`.

    Raises:
        HetsimError: an input that cannot be used.
    """
    _is_mapping(variants, "variants", "{'fast': {'bus.clock': '2x'}}")
    for name, changes in variants.items():
        _is_mapping(changes, f"variants {name}", "{'bus.clock': '2x'}")
    ready = _ready(scenario, models, schedulers, soc)
    with told(progress) as teller:
        return _compare.compare(ready, variants, progress=teller, **options)


def sweep(
    scenario: str | Path | Scenario,
    vary: Vary,
    *,
    models: Sequence[SomeModel] = (),
    schedulers: Sequence[SomeScheduler] | None = None,
    soc: str | Path | SoC | None = None,
    store: str | Path | None = None,
    workers: int = 1,
    dask: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Sweep:
    """A grid of variants; see :func:`hetsim.study.sweep.study.sweep` for ``options``.

    Raises:
        HetsimError: an input that cannot be used.
    """
    ready = _ready(scenario, models, schedulers, soc, workers, dask)
    place = None if store is None else Path(store)
    with told(progress) as teller:
        return _sweep.sweep(
            ready, _axes(vary), store=place, executor=executor(workers, dask=dask),
            progress=teller, **options,
        )  # fmt: skip


def explore(
    scenario: str | Path | Scenario,
    vary: Vary,
    *,
    models: Sequence[SomeModel] = (),
    schedulers: Sequence[SomeScheduler] | None = None,
    soc: str | Path | SoC | None = None,
    constraints: Sequence[str] = (),
    workers: int = 1,
    dask: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Exploration:
    """The best designs; see :func:`hetsim.study.explore.study.explore` for ``options``.

    Raises:
        HetsimError: an input that cannot be used.
    """
    ready = _ready(scenario, models, schedulers, soc, workers, dask)
    check_list(constraints, Location("constraints"), "'latency_ms <= 33'")
    limits = [parse_constraint(text) for text in constraints]
    with told(progress) as teller:
        return _explore.explore(
            ready, _axes(vary), constraints=limits, executor=executor(workers, dask=dask),
            progress=teller, **options,
        )  # fmt: skip


def _ready(
    scenario: str | Path | Scenario,
    models: Sequence[SomeModel],
    schedulers: Sequence[SomeScheduler] | None,
    soc: str | Path | SoC | None,
    workers: int = 1,
    dask: str | None = None,
) -> Scenario:
    """The scenario, if the workers can load its schedulers."""
    found = asked(scenario, models=models, schedulers=schedulers, soc=soc)
    for ref in found.schedulers:
        cls = type(ref.given) if isinstance(ref.given, Scheduler) else ref.given
        if cls is not None and cls.__module__ == "__main__" and (workers > 1 or dask is not None):
            raise ConfigError(
                f"{cls.__name__} is defined in this notebook, where worker processes cannot find"
                " it",
                where=Location("schedulers"),
                hint=f"leave workers at 1, or put the class into a file: 'mine.py:{cls.__name__}'",
            )
    return found


def _axes(vary: Vary) -> tuple[Axis, ...]:
    _is_mapping(vary, "vary", "{'npu.sram': '128KiB..1MiB:log2'}")
    return tuple(axis_of(path, given, Location(f"vary {path}")) for path, given in vary.items())


def _is_mapping(given: object, what: str, example: str) -> None:
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"{shown(given)} is given where a mapping is due", where=Location(what),
            hint=f"write it like {example}",
        )  # fmt: skip
