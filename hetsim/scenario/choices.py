"""Other networks, schedulers and options than the scenario's file names, without editing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hetsim.errors import ConfigError, Location
from hetsim.infiles import user_path
from hetsim.scenario.loader import ModelRef, Scenario, SchedulerRef, dimensioned
from hetsim.workload.formats import names_file
from hetsim.workload.networks import share_sizes
from hetsim.workload.sizes import NO_SIZES, Sizes


def choose(
    scenario: Scenario,
    *,
    models: Sequence[str | Path] = (),
    schedulers: Sequence[str] | None = None,
    sizes: Sizes = NO_SIZES,
    execution: str | None = None,
    fidelity: str | None = None,
    seed: int | None = None,
    asked_by: tuple[str, str] = ("models", "schedulers"),
) -> Scenario:
    """``scenario`` with something else in place of what its file says; ``None`` keeps that.

    ``models`` are names or ONNX files and ``schedulers`` names or ``FILE.py:CLASS``, relative to
    the working directory; one that the scenario lists keeps the parameters written there. An empty
    ``models`` keeps the scenario's; empty ``schedulers`` leave none (only plan files run).
    Shapes in ``sizes`` are for those of ``models`` that have such inputs, and dimensions for all
    that have them. ``asked_by``: what errors say instead of a line.

    Raises:
        ConfigError: an ONNX file that is not there, a name given twice, input shapes for nothing.
    """
    model_place, scheduler_place = map(Location, asked_by)
    if (sizes.input_shapes or sizes.max_output) and not models:
        what = "input shapes" if sizes.input_shapes else "bounds of outputs"
        raise ConfigError(f"{what} are given, but no models", where=model_place)
    changes: dict[str, object] = {}
    if models:
        _distinct(map(str, models), model_place)
        chosen = [_model(scenario, m, model_place) for m in models]
        chosen = list(dimensioned(chosen, scenario.dims, model_place, before=False, strict=False))
        shared = share_sizes([ref.file_or_name for ref in chosen], sizes, asked_by[0])
        changes["models"] = tuple(
            replace(ref, sizes=ref.sizes.with_these(more))
            for ref, more in zip(chosen, shared, strict=True)
        )
    elif sizes.dims:
        changes["models"] = dimensioned(scenario.models, sizes.dims, Location("--dim"))
    if schedulers is not None:
        _distinct(schedulers, scheduler_place)
        changes["schedulers"] = tuple(_scheduler(scenario, s, scheduler_place) for s in schedulers)
    options = {"execution": execution, "fidelity": fidelity, "seed": seed}
    changes |= {name: value for name, value in options.items() if value is not None}
    return replace(scenario, **changes)  # type: ignore[arg-type]


def _model(scenario: Scenario, wanted: str | Path, where: Location) -> ModelRef:
    text = str(wanted)
    listed = next((m for m in scenario.models if m.label == text), None)
    if listed is not None:
        return replace(listed, where=where)
    path = user_path(text, where)
    if not names_file(path):
        return ModelRef(text, text, None, NO_SIZES, where)
    if not path.is_file():
        problem = "is a directory" if path.is_dir() else "does not exist"
        raise ConfigError(f"model file {text!r} {problem}", where=where)
    return ModelRef(path.stem, path.stem, path.absolute(), NO_SIZES, where)


def _scheduler(scenario: Scenario, wanted: str, where: Location) -> SchedulerRef:
    found = next((s for s in scenario.schedulers if s.label == wanted), None)
    if found is not None:
        return replace(found, where=where, listed=True)
    path, colon, name = wanted.rpartition(":")
    if colon and path.endswith(".py"):
        file = user_path(path, where).absolute()
        return SchedulerRef(f"{file}:{name}", name, {}, where)
    return SchedulerRef(wanted, wanted, {}, where)


def _distinct(names: Iterable[str], where: Location) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ConfigError(f"{name!r} is given twice", where=where)
        seen.add(name)
