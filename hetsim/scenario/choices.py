"""Other networks, schedulers and options than the scenario's file names, without editing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hetsim.errors import ConfigError, Location
from hetsim.infiles import user_path
from hetsim.scenario.loader import ModelRef, Scenario, SchedulerRef
from hetsim.workload.formats import names_file


def choose(
    scenario: Scenario,
    *,
    models: Sequence[str | Path] = (),
    schedulers: Sequence[str] | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    execution: str | None = None,
    fidelity: str | None = None,
    seed: int | None = None,
    asked_by: tuple[str, str] = ("models", "schedulers"),
) -> Scenario:
    """``scenario`` with something else in place of what its file says; ``None`` keeps that.

    ``models`` are names or ONNX files and ``schedulers`` names or ``FILE.py:CLASS``, relative to
    the working directory; one that the scenario lists keeps the parameters written there. An empty
    ``models`` keeps the scenario's; empty ``schedulers`` leave none (only plan files run).
    ``input_shapes`` go to all ``models``. ``asked_by``: what errors say instead of a line.

    Raises:
        ConfigError: an ONNX file that is not there, a name given twice, input shapes for nothing.
    """
    model_place, scheduler_place = map(Location, asked_by)
    if input_shapes and not models:
        raise ConfigError("input shapes are given, but no models", where=model_place)
    changes: dict[str, object] = {}
    if models:
        _distinct(map(str, models), model_place)
        shapes = {tensor: tuple(shape) for tensor, shape in (input_shapes or {}).items()}
        changes["models"] = tuple(_model(scenario, m, shapes, model_place) for m in models)
    if schedulers is not None:
        _distinct(schedulers, scheduler_place)
        changes["schedulers"] = tuple(_scheduler(scenario, s, scheduler_place) for s in schedulers)
    options = {"execution": execution, "fidelity": fidelity, "seed": seed}
    changes |= {name: value for name, value in options.items() if value is not None}
    return replace(scenario, **changes)  # type: ignore[arg-type]


def _model(
    scenario: Scenario, wanted: str | Path, shapes: dict[str, tuple[int, ...]], where: Location
) -> ModelRef:
    text = str(wanted)
    listed = next((m for m in scenario.models if m.label == text), None)
    if listed is not None:
        return replace(listed, input_shapes=shapes or listed.input_shapes, where=where)
    path = user_path(text, where)
    if not names_file(path):
        return ModelRef(text, text, None, shapes, where)
    if not path.is_file():
        problem = "is a directory" if path.is_dir() else "does not exist"
        raise ConfigError(f"model file {text!r} {problem}", where=where)
    return ModelRef(path.stem, path.stem, path.absolute(), shapes, where)


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
