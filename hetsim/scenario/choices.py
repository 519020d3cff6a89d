"""Other networks, schedulers, SoC and options than the scenario's file says, without editing it.

The command line names them, a notebook may hand over the objects themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from hetsim.errors import ConfigError, Location
from hetsim.infiles import user_path
from hetsim.names import distinct_name
from hetsim.overrides import apply_overrides
from hetsim.scenario.loader import Scenario, dimensioned, labels, own_changes
from hetsim.scenario.refs import ModelRef, SchedulerRef
from hetsim.scenario.streams import check_choices
from hetsim.schedulers.base import Scheduler
from hetsim.schedulers.registry import check_class, stated_parameters
from hetsim.soc.describe import document_of
from hetsim.soc.loader import build_soc, read_soc
from hetsim.soc.model import SoC
from hetsim.workload.formats import names_file
from hetsim.workload.graph import Graph
from hetsim.workload.networks import share_sizes
from hetsim.workload.sizes import NO_SIZES, Sizes

if TYPE_CHECKING:
    from onnx import ModelProto

SomeModel: TypeAlias = "str | Path | Graph | ModelProto"
"""A name of the zoo, a file, a graph of :func:`hetsim.load_model`, a model of ``onnx``."""

SomeScheduler: TypeAlias = "str | type[Scheduler] | Scheduler"
"""A name, ``FILE.py:CLASS``, a class, or an object of one with its parameters."""

Ref = TypeVar("Ref", ModelRef, SchedulerRef)


def choose(
    scenario: Scenario,
    *,
    models: Sequence[SomeModel] = (),
    schedulers: Sequence[SomeScheduler] | None = None,
    soc: str | Path | SoC | None = None,
    sizes: Sizes = NO_SIZES,
    execution: str | None = None,
    fidelity: str | None = None,
    seed: int | None = None,
    asked_by: tuple[str, str] = ("models", "schedulers"),
) -> Scenario:
    """``scenario`` with something else in place of what its file says; ``None`` keeps that.

    ``models`` are names or ONNX files and ``schedulers`` names or ``FILE.py:CLASS``, relative to
    the working directory; one that the scenario lists keeps the parameters written there. Both may
    be objects as well (:data:`SomeModel`, :data:`SomeScheduler`). An empty
    ``models`` keeps the scenario's; empty ``schedulers`` leave none (only plan files run).
    A ``soc`` that is named gets the changes of the scenario's ``set``; one that is an object is
    taken as it is. Shapes in ``sizes`` are for those of ``models`` that have such inputs, and
    dimensions for all that have them. ``asked_by``: what errors say instead of a line.

    Raises:
        ConfigError: an ONNX file that is not there, a name given twice, input shapes for nothing,
            an object of another type.
    """
    model_place, scheduler_place = map(Location, asked_by)
    if (sizes.input_shapes or sizes.max_output) and not models:
        what = "input shapes" if sizes.input_shapes else "bounds of outputs"
        raise ConfigError(f"{what} are given, but no models", where=model_place)
    changes: dict[str, object] = {}
    if models:
        check_list(models, model_place, "'resnet18'")
        chosen = _distinct([_model(scenario, m, model_place) for m in models], model_place)
        chosen = list(dimensioned(chosen, scenario.dims, model_place, before=False, strict=False))
        shared = share_sizes([ref.network for ref in chosen], sizes, asked_by[0])
        changes["models"] = tuple(
            replace(ref, sizes=ref.sizes.with_these(more))
            for ref, more in zip(chosen, shared, strict=True)
        )
    elif sizes.dims:
        changes["models"] = dimensioned(scenario.models, sizes.dims, Location("--dim"))
    if schedulers is not None:
        check_list(schedulers, scheduler_place, "'heft'")
        refs = [_scheduler(scenario, s, scheduler_place) for s in schedulers]
        changes["schedulers"] = tuple(_distinct(refs, scheduler_place))
    if soc is not None:
        if isinstance(soc, SoC):
            document = document_of(soc)
        elif isinstance(soc, str | Path):
            document = apply_overrides(
                read_soc(soc, where=Location("soc")), own_changes(scenario.document)
            )
        else:
            raise ConfigError(
                f"{shown(soc)} is not a SoC", where=Location("soc"),
                hint="give a name of 'hetsim list socs', a file, or what hetsim.load_soc returns",
            )  # fmt: skip
        changes |= {"soc_document": document, "soc": build_soc(document)}
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        hint = "give a whole number that is not negative"
        raise ConfigError(f"{shown(seed)} is no seed", where=Location("seed"), hint=hint)
    options = {"execution": execution, "fidelity": fidelity, "seed": seed}
    changes |= {name: value for name, value in options.items() if value is not None}
    found = replace(scenario, **changes)  # type: ignore[arg-type]
    if scenario.service is not None:
        check_choices(
            scenario.service, labels(found.models), labels(found.schedulers),
            execution, asked_by,
        )  # fmt: skip
    return found


def _model(scenario: Scenario, wanted: SomeModel, where: Location) -> ModelRef:
    if isinstance(wanted, Graph):
        return ModelRef(wanted.name, wanted.name, None, NO_SIZES, where, wanted)
    if not isinstance(wanted, str | Path):
        name = getattr(getattr(wanted, "graph", None), "name", None)
        if not isinstance(name, str):
            raise ConfigError(
                f"{shown(wanted)} is not a network", where=where,
                hint="give a name of 'hetsim list models', a file, what hetsim.load_model returns,"
                " or an onnx.ModelProto",
            )  # fmt: skip
        return ModelRef(name or "model", name or "model", None, NO_SIZES, where, wanted)
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


def _scheduler(scenario: Scenario, wanted: SomeScheduler, where: Location) -> SchedulerRef:
    if isinstance(wanted, Scheduler):
        stated = stated_parameters(wanted)
        words = ", ".join(f"{key}={value}" for key, value in stated.items())
        name = _name(type(wanted))
        label = f"{name}({words})" if words else name
        return SchedulerRef(_dotted(type(wanted)), label, stated, where, given=wanted)
    if isinstance(wanted, type):
        cls = check_class(wanted, wanted.__name__, where)
        return SchedulerRef(_dotted(cls), _name(cls), {}, where, given=cls)
    if not isinstance(wanted, str):
        raise ConfigError(
            f"{shown(wanted)} is not a scheduler", where=where,
            hint="give a name of 'hetsim list schedulers', FILE.py:CLASS, or a subclass of"
            " hetsim.schedulers.base.Scheduler or an object of one",
        )  # fmt: skip
    found = next((s for s in scenario.schedulers if s.label == wanted), None)
    if found is not None:
        return replace(found, where=where, listed=True)
    path, colon, name = wanted.rpartition(":")
    if colon and path.endswith(".py"):
        file = user_path(path, where).absolute()
        return SchedulerRef(f"{file}:{name}", name, {}, where)
    return SchedulerRef(wanted, wanted, {}, where)


def _name(cls: type[Scheduler]) -> str:
    """Its own, not one that it has from the scheduler it is made from."""
    return cls.name if "name" in vars(cls) else cls.__name__


def _dotted(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def shown(thing: object) -> str:
    """A few words about an object of a type that nobody asked for."""
    text = repr(thing)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(thing).__name__})"


def check_list(given: object, where: Location, example: str) -> None:
    """Raises ``ConfigError`` where one thing is ``given`` instead of a list of such."""
    if isinstance(given, str | Path | Scheduler | type | Graph) or not isinstance(given, Iterable):
        raise ConfigError(
            f"{shown(given)} is given where a list is due", where=where,
            hint=f"write it like {where}=[{example}]",
        )  # fmt: skip


def _distinct(refs: list[Ref], where: Location) -> list[Ref]:
    """``refs`` with labels of their own: the same name twice is a mistake, others get numbers."""
    taken: set[str] = set()
    seen: set[object] = set()
    found = []
    for ref in refs:
        if ref.given is None:
            origin = (ref.path or ref.name) if isinstance(ref, ModelRef) else ref.name
            if (origin, ref.label) in seen:
                raise ConfigError(f"{ref.label!r} is given twice", where=where)
            seen.add((origin, ref.label))
        found.append(replace(ref, label=distinct_name(ref.label, taken)))
    return found
