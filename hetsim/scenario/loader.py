"""From a scenario's name or file to a checked :class:`Scenario`, its SoC loaded.

Networks and schedulers are only named here: each knows the line that asked for it, so that whoever
loads one that does not exist can point there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import ConfigError, Location
from hetsim.infiles import user_path
from hetsim.library import find
from hetsim.names import suggest
from hetsim.overrides import Override, apply_overrides
from hetsim.scenario.refs import ALL_STREAMS, AS_NAMED, Contender, ModelRef, SchedulerRef
from hetsim.scenario.schema import ModelSpec, ReferenceSpec, ScenarioSpec, SchedulerSpec
from hetsim.scenario.streams import service_of
from hetsim.schedulers.groups import FUSED_GROUPS
from hetsim.schedulers.registry import scheduler_names
from hetsim.soc.loader import build_soc, read_soc
from hetsim.soc.model import SoC
from hetsim.streams.service import Service
from hetsim.validation import json_schema, validate
from hetsim.workload.formats import names_file
from hetsim.workload.networks import open_dims, own_dims
from hetsim.workload.sizes import Sizes
from hetsim.yamlio import Document, Keys, parse_value, read_yaml

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Scenario:
    """A checked scenario.

    ``time_limit_s`` bounds one scheduler's thinking about one model, seconds; ``None`` is no
    bound. ``service`` are its streams, if it has any. ``directory`` is what relative paths in the
    file are relative to. ``document`` is the file as read, and ``soc_document`` the SoC's with all
    changes applied, for studies that vary it further.
    """

    name: str
    description: str
    soc: SoC
    models: tuple[ModelRef, ...]
    schedulers: tuple[SchedulerRef, ...]
    execution: str
    fidelity: str
    seed: int
    reading: Mapping[str, Any]
    dims: Mapping[str, int]
    time_limit_s: float | None
    reference: ReferenceSpec | None
    source: str
    document: Document = field(repr=False, compare=False)
    soc_document: Document = field(repr=False, compare=False)
    service: Service | None = None

    @property
    def directory(self) -> Path:
        """The directory of the scenario file."""
        return Path(self.source).parent

    @property
    def in_words(self) -> bool:
        """Whether a file can say it all: no network or scheduler was given as an object."""
        given = [m.given for m in self.models], [s.given for s in self.schedulers]
        return not any(thing is not None for things in given for thing in things)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What runs are about: each network by label, or all streams together."""
        return (ALL_STREAMS,) if self.service else tuple(ref.label for ref in self.models)

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """Every scheduler, with streams in every way and under every dispatcher, as in the file.

        A dispatcher that needs no scheduler's plan stands there once, and so do the plans of
        streams that all name their own.
        """
        if self.service is None:
            return tuple(Contender(ref.label, ref) for ref in self.schedulers)
        ways, who = self.service.plans, self.service.dispatchers
        finest = SchedulerRef(FUSED_GROUPS, FUSED_GROUPS, {}, self.where(), listed=False)
        asked = self.schedulers
        if ways == ("each",) and all(s.scheduler or s.plan for s in self.service.streams):
            asked = tuple(replace(ref, label=AS_NAMED) for ref in asked[:1])
        found: list[Contender] = []
        for ref in asked:
            for way in ways:
                for d in who:
                    by, how = (ref, way) if d.grain == "plan" else (finest, ways[0])
                    words = [by.label, *[how] * (len(ways) > 1), *[d.label] * (len(who) > 1)]
                    made = Contender(" · ".join(words), by, d, how)
                    found += [made] * (made not in found)
        return tuple(found)

    def contender(self, label: str) -> Contender:
        """The contender called ``label``; ``StopIteration`` when there is none."""
        return next(found for found in self.contenders if found.label == label)

    def where(self, path: Keys = ()) -> Location:
        """The place in the file of the value at ``path``, e.g. ``("models", 0)``."""
        return self.document.where(path)

    def model(self, label: str) -> ModelRef:
        """The network called ``label``; ``StopIteration`` when there is none."""
        return next(ref for ref in self.models if ref.label == label)

    def scheduler(self, label: str) -> SchedulerRef:
        """The scheduler called ``label``; ``StopIteration`` when there is none."""
        return next(ref for ref in self.schedulers if ref.label == label)

    def check_schedulers(self) -> None:
        """Checks each as :meth:`SchedulerRef.check` does."""
        for ref in self.schedulers:
            ref.check()


def load_scenario(
    name_or_path: str | Path, overrides: Mapping[str, object] | None = None
) -> Scenario:
    """Loads a scenario by shipped name or path, and the SoC it names.

    ``overrides`` (``--set``) whose first word is a field of scenarios change the scenario
    (``seed``, ``execution``, ``soc``); all others, and those that start with ``soc.``, change the
    SoC, on top of the scenario's own ``set``.

    Raises:
        ConfigError: no such scenario or SoC, or one that cannot be understood; lists every
            problem with file, line and column.
    """
    for_scenario, for_soc, for_dims = _split(overrides or {})
    file = find("scenarios", name_or_path)
    document = apply_overrides(read_yaml(file), for_scenario, ScenarioSpec.model_fields)
    spec = validate(ScenarioSpec, document)
    # A SoC named on the command line is relative to where the command was given.
    base = None if "soc" in for_scenario else file.parent
    soc = read_soc(spec.soc, base, where=document.where(("soc",)))
    soc = apply_overrides(soc, own_changes(document))
    soc = apply_overrides(soc, for_soc)
    models = tuple(_models(spec, document, file.parent))
    models = dimensioned(models, spec.dims, document.where(("dims",)), before=False)
    for name, size in for_dims.items():
        models = resized(models, name, size.value, size.where)
    _distinct_labels(models, "models")
    schedulers = tuple(_schedulers(spec, document, file.parent))
    _distinct_labels(schedulers, "schedulers")
    _check_reference(spec, document, models, schedulers)
    if base is not None:
        _check_unmeasured(spec, document, soc)
    return Scenario(
        name=spec.name,
        description=spec.description,
        soc=build_soc(soc),
        models=models,
        schedulers=schedulers,
        execution=spec.execution,
        fidelity=spec.fidelity,
        seed=spec.seed,
        reading=spec.reading,
        dims=spec.dims,
        time_limit_s=spec.time_limit,
        reference=spec.reference,
        source=str(file),
        document=document,
        soc_document=soc,
        service=service_of(spec, document, labels(models), labels(schedulers)),
    )


def labels(refs: Sequence[ModelRef | SchedulerRef]) -> list[str]:
    """What reports call them."""
    return [ref.label for ref in refs]


def scenario_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of scenario files."""
    return json_schema(ScenarioSpec, "hetsim scenario")


def _split(
    overrides: Mapping[str, object],
) -> tuple[dict[str, object], dict[str, object], dict[str, Override]]:
    """Overrides of the scenario, of its SoC, and of its networks' dimensions."""
    for_scenario: dict[str, object] = {}
    for_soc: dict[str, object] = {}
    for_dims: dict[str, Override] = {}
    for path, value in overrides.items():
        first, _, rest = path.partition(".")
        located = value if isinstance(value, Override) else None
        where = located.where if located else Location(f"--set {path}")
        if first == "soc" and rest:
            for_soc[rest] = Override(located.value if located else value, where)
        elif first == "dims" and rest:
            for_dims[rest] = Override(located.value if located else value, where)
        elif first in ScenarioSpec.model_fields:
            for_scenario[path] = value
        else:
            for_soc[path] = value
    return for_scenario, for_soc, for_dims


def own_changes(document: Document) -> dict[str, object]:
    """The scenario's ``set`` and ``profiles``, each change of the SoC located at its line.

    Raises:
        ConfigError: a profile that is not there.
    """
    changes = document.get(("set",)) or {}
    found: dict[str, object] = {
        path: Override(value, document.where_key(("set", path))) for path, value in changes.items()
    }
    for unit, name in (document.get(("profiles",)) or {}).items():
        where = document.where(("profiles", unit))
        path = (Path(document.file).parent / user_path(name, where)).absolute()
        if not path.is_file():
            raise ConfigError(f"profiles.{unit}: there is no file {str(path)!r}", where=where)
        place = Override(str(path), document.where_key(("profiles", unit)))
        found[f"pus.{unit}.profile"] = place
    return found


def _models(spec: ScenarioSpec, document: Document, directory: Path) -> Iterator[ModelRef]:
    for i, entry in enumerate(spec.models):
        where = document.where(("models", i))
        if isinstance(entry, str):
            entry = ModelSpec(path=entry) if names_file(entry) else ModelSpec(name=entry)
        path = None
        if entry.path is not None:
            place = document.where(("models", i, "path"))
            path = directory / user_path(entry.path, place)
            if not path.is_file():
                problem = "is a directory" if path.is_dir() else "does not exist"
                raise ConfigError(f"model file {str(path)!r} {problem}", where=place)
        name = entry.name or (path.stem if path is not None else None)
        if name is None:
            raise ConfigError(
                f"models[{i}] names no model",
                where=where,
                hint="give 'name' (a model of the zoo) or 'path' (a file)",
            )
        sizes = Sizes(
            {tensor: tuple(shape) for tensor, shape in entry.input_shapes.items()},
            entry.dims,
            {key: size if isinstance(size, int) else tuple(size)
             for key, size in entry.max_output.items()},
        )  # fmt: skip
        yield ModelRef(name, entry.label or name, path, sizes, where)


def dimensioned(
    models: Sequence[ModelRef],
    dims: Mapping[str, int],
    where: Location,
    *,
    before: bool = True,
    strict: bool = True,
) -> tuple[ModelRef, ...]:
    """``models`` with ``dims`` for those that have such dimensions.

    They go ``before`` what a model says itself, or behind it. ``where`` asks for them.

    Raises:
        ConfigError: a dimension that no model leaves open, if that is to be ``strict``.
    """
    if not dims:
        return tuple(models)
    own = own_dims([ref.network for ref in models], dims)
    idle = [name for name in dims if not any(name in kept for kept in own)]
    if idle and strict:
        raise ConfigError(
            f"no model has an open dimension {idle[0]!r}",
            where=where,
            hint=suggest(idle[0], open_dims([ref.network for ref in models])),
        )
    return tuple(
        replace(ref, sizes=replace(ref.sizes, dims={**ref.sizes.dims, **kept} if before
                                   else {**kept, **ref.sizes.dims}))
        for ref, kept in zip(models, own, strict=True)
    )  # fmt: skip


def resized(
    models: Sequence[ModelRef], name: str, size: object, where: Location
) -> tuple[ModelRef, ...]:
    """``models`` with open dimension ``name`` of another ``size``, which may be a text.

    Raises:
        ConfigError: no model has it, or that is no size.
    """
    if isinstance(size, str):
        size = parse_value(size, where)
    if type(size) is not int or not 0 < size < 2**31:
        raise ConfigError(f"{size!r} is not the size of a dimension", where=where)
    return dimensioned(models, {name: size}, where)


def _schedulers(spec: ScenarioSpec, document: Document, directory: Path) -> Iterator[SchedulerRef]:
    if isinstance(spec.schedulers, str):  # all of them
        where = document.where(("schedulers",))
        for name in scheduler_names():
            yield SchedulerRef(name, name, {}, where, listed=False)
        return
    for i, entry in enumerate(spec.schedulers):
        entry = SchedulerSpec(name=entry) if isinstance(entry, str) else entry
        file, colon, attribute = entry.name.rpartition(":")
        name = entry.name
        if colon and file.endswith(".py"):
            name = f"{(directory / file).absolute()}:{attribute}"
        where = document.where(("schedulers", i))
        yield SchedulerRef(name, entry.label or entry.name, entry.parameters, where)


def _check_unmeasured(spec: ScenarioSpec, document: Document, soc: Document) -> None:
    """What was not measured must be something of the SoC that the scenario itself names."""
    for i, quantity in enumerate(spec.reference.unmeasured if spec.reference else ()):
        for path, values in quantity.vary.items():
            for k, value in enumerate(values):
                where = document.where(("reference", "unmeasured", i, "vary", path, k))
                build_soc(apply_overrides(soc, {path: Override(value, where)}))


def _distinct_labels(entries: Iterable[ModelRef | SchedulerRef], what: str) -> None:
    """Results are found by label, so two entries must not share one."""
    first: dict[str, Location] = {}
    for entry in entries:
        if entry.label in first:
            raise ConfigError(
                f"two {what} are called {entry.label!r}; the first stands at {first[entry.label]}",
                where=entry.where,
                hint="remove one, or give it a 'label' of its own",
            )
        first[entry.label] = entry.where


def _check_reference(
    spec: ScenarioSpec,
    document: Document,
    models: tuple[ModelRef, ...],
    schedulers: tuple[SchedulerRef, ...],
) -> None:
    """Published figures must speak of what this scenario runs."""
    if spec.reference is None:
        return
    labels = [s.label for s in schedulers]
    known = {"model": [m.label for m in models], "scheduler": labels, "baseline": labels}
    for i, row in enumerate(spec.reference.improvements):
        for key, labels in known.items():
            name = getattr(row, key)
            if name not in labels:
                raise ConfigError(
                    f"reference.improvements[{i}].{key}: {name!r} is not run by this scenario",
                    where=document.where(("reference", "improvements", i, key)),
                    hint=suggest(name, labels, "run"),
                )
