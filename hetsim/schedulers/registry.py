"""Finding schedulers by name or by file, and constructing them with checked parameters.

Three sources, looked up in this order: the built-in table below (which works from a plain checkout
too), entry points of the group ``hetsim.schedulers`` that installed packages declare, and paths
like ``./mine.py:MyScheduler``. Nothing is imported until it is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, UnionType

from hetsim.errors import HetsimError, Location, SchedulerError
from hetsim.names import suggest
from hetsim.plugins import installed
from hetsim.schedulers.base import Scheduler

GROUP = "hetsim.schedulers"
"""The entry-point group in which other packages register scheduler classes."""

BUILT_IN: Mapping[str, str] = {
    "best_single_pu": "hetsim.schedulers.simple.best_single_pu:BestSinglePU",
    "cpu_only": "hetsim.schedulers.simple.cpu_only:CPUOnly",
    "npu_only": "hetsim.schedulers.simple.npu_only:NPUOnly",
    "type_based": "hetsim.schedulers.simple.type_based:TypeBased",
    "profile_greedy": "hetsim.schedulers.simple.profile_greedy:ProfileGreedy",
    "delegate_largest": "hetsim.schedulers.delegate.largest:DelegateLargest",
    "delegate_tuned": "hetsim.schedulers.delegate.tuned:DelegateTuned",
    "mosaic": "hetsim.schedulers.stages.mosaic:Mosaic",
    "heft": "hetsim.schedulers.list.heft:HEFT",
    "heft_lookahead": "hetsim.schedulers.list.heft_lookahead:HEFTLookahead",
    "peft": "hetsim.schedulers.list.peft:PEFT",
    "cpop": "hetsim.schedulers.list.cpop:CPOP",
    "partition_tuner": "hetsim.schedulers.partition_tuner.scheduler:PartitionTuner",
    "partition_tuner_tuned": "hetsim.schedulers.partition_tuner.tuned:PartitionTunerTuned",
    "duet": "hetsim.schedulers.stages.duet:Duet",
    "ios": "hetsim.schedulers.stages.ios:IOS",
    "iops": "hetsim.schedulers.stages.iops:IOPS",
    "exact": "hetsim.schedulers.exact.scheduler:Exact",
    "random": "hetsim.schedulers.simple.controls:Random",
    "round_robin": "hetsim.schedulers.simple.controls:RoundRobin",
}
"""Module and class of every scheduler that ships with hetsim."""


@dataclass(frozen=True)
class SchedulerInfo:
    """A row of ``hetsim list schedulers``. ``parameters`` maps names to defaults, as text."""

    name: str
    optimises: str
    ignores: str
    complexity: str
    source: str
    parameters: Mapping[str, str]
    origin: str


def scheduler_names() -> list[str]:
    """Names that :func:`create` knows: the built-in ones, then those of installed packages."""
    return [*BUILT_IN, *sorted(_installed().keys() - BUILT_IN.keys())]


def list_schedulers() -> list[SchedulerInfo]:
    """A row for each of :func:`scheduler_names`.

    Raises:
        SchedulerError: an installed scheduler cannot be loaded.
    """
    others = _installed()
    rows = []
    for name in scheduler_names():
        origin = "built in" if name in BUILT_IN else others[name].value
        rows.append(describe(find(name), name, origin))
    return rows


def describe(cls: type[Scheduler], name: str, origin: str) -> SchedulerInfo:
    """The row of one scheduler class."""
    parameters = {
        p.name: "required" if p.default is p.empty else repr(p.default)
        for p in _parameters(cls).values()
    }
    optimises, ignores, complexity, source = (
        str(getattr(cls, field, "")) for field in ("optimises", "ignores", "complexity", "source")
    )
    return SchedulerInfo(name, optimises, ignores, complexity, source, parameters, origin)


def create(name: str, parameters: Mapping[str, object] | None = None) -> Scheduler:
    """A fresh scheduler: ``name`` is a known name, or ``path/to/file.py:ClassName``.

    Raises:
        SchedulerError: unknown name, a file that cannot be loaded, a parameter the scheduler does
            not have, lacks, or rejects.
    """
    return construct(find(name), name, parameters or {})


def construct(cls: type[Scheduler], name: str, parameters: Mapping[str, object]) -> Scheduler:
    """A scheduler of a class that is at hand; ``name`` is what errors call it.

    Raises:
        SchedulerError: a parameter the scheduler does not have, lacks, or rejects.
    """
    given = dict(parameters)
    known = _parameters(cls)
    for key in given:
        if key not in known:
            hint = suggest(key, known, "its parameters")
            raise SchedulerError(f"scheduler {name!r} has no parameter {key!r}", hint=hint)
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in given:
            raise SchedulerError(f"scheduler {name!r} needs parameter {key!r}")
    given = {key: _checked(cls, name, key, value) for key, value in given.items()}
    try:
        return cls(**given)
    except HetsimError:
        raise
    except Exception as error:
        raise SchedulerError(
            f"scheduler {name!r} cannot be constructed: {type(error).__name__}: {error}",
            where=_innermost(error, inspect.getsourcefile(cls)),
        ) from error


def stated_parameters(scheduler: Scheduler) -> dict[str, object]:
    """The parameters that a scheduler was made with, as far as it keeps them as plain attributes.

    Those that it keeps under their own names, as numbers, texts or truth values, and that differ
    from the default.
    """
    found: dict[str, object] = {}
    for key, parameter in _parameters(type(scheduler)).items():
        value = getattr(scheduler, key, parameter.default)
        plain = value is None or isinstance(value, str | int | float)
        if plain and value != parameter.default:
            found[key] = value
    return found


def code_hash(scheduler: type[Scheduler] | Scheduler) -> str:
    """SHA-256 of the source of a class, where it can be read, and of what an object holds."""
    cls = scheduler if isinstance(scheduler, type) else type(scheduler)
    try:
        text = inspect.getsource(cls)
    except (OSError, TypeError):  # typed into an interpreter that keeps no source
        text = f"{cls.__module__}.{cls.__qualname__}"
    held = "" if isinstance(scheduler, type) else repr(sorted(vars(scheduler).items()))
    return hashlib.sha256(f"{text}\n{held}".encode()).hexdigest()


def find(name: str) -> type[Scheduler]:
    """The class behind ``name``. Raises :class:`SchedulerError` as :func:`create` does."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return check_class(getattr(importlib.import_module(module), attribute), name)
    path, colon, attribute = name.rpartition(":")
    if colon and path.endswith(".py"):
        return _from_file(Path(path), attribute, name)
    if name.endswith(".py"):
        raise SchedulerError(
            f"{name!r} names a file but no class", hint=f"write it like {name}:MyScheduler"
        )
    others = _installed()
    if name in others:
        entry = others[name]
        try:
            loaded = entry.load()
        except Exception as error:
            raise SchedulerError(
                f"scheduler {name!r} of {entry.value} cannot be imported:"
                f" {type(error).__name__}: {error}"
            ) from error
        return check_class(loaded, name)
    raise SchedulerError(
        f"there is no scheduler {name!r}",
        hint=suggest(name, scheduler_names()) + "; or a file: ./mine.py:MyScheduler",
    )


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in installed(GROUP)}


def _from_file(path: Path, attribute: str, name: str) -> type[Scheduler]:
    where = Location(str(path))
    if not path.is_file():
        raise SchedulerError("there is no such scheduler file", where=where)
    module = _import_file(path)
    if not hasattr(module, attribute):
        classes = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        hint = suggest(attribute, classes, "classes in it")
        raise SchedulerError(f"it defines no {attribute!r}", where=where, hint=hint)
    return check_class(getattr(module, attribute), name, where)


def _import_file(path: Path) -> ModuleType:
    """Imports a file under a name of its own, afresh when the file has changed."""
    resolved = path.resolve()
    try:
        content = resolved.read_bytes()
    except OSError as error:
        raise SchedulerError(
            f"cannot be read: {error.strerror}", where=Location(str(path))
        ) from None
    digest = hashlib.sha256(str(resolved).encode() + b"\0" + content).hexdigest()[:16]
    module_name = f"_hetsim_scheduler_{resolved.stem}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, resolved)
    if spec is None or spec.loader is None:
        raise SchedulerError("it is not a Python file", where=Location(str(path)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise SchedulerError(
            f"the scheduler file cannot be imported: {type(error).__name__}: {error}",
            where=_innermost(error, str(resolved), shown=str(path)),
        ) from error
    return module


def _innermost(error: BaseException, file: str | None, shown: str | None = None) -> Location | None:
    """The deepest line of ``file`` on the way to ``error``."""
    if isinstance(error, SyntaxError) and file is not None and error.filename == file:
        return Location(shown or file, error.lineno, error.offset)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    if not frames:
        return Location(shown) if shown else None
    return Location(shown or frames[-1].filename, frames[-1].lineno)


def check_class(found: object, name: str, where: Location | None = None) -> type[Scheduler]:
    """``found``, if it is a class of schedulers that can plan; ``name`` is what errors call it.

    Raises:
        SchedulerError: it is something else, or defines no ``plan``.
    """
    if not (isinstance(found, type) and issubclass(found, Scheduler)):
        raise SchedulerError(
            f"{name!r} is not a scheduler",
            where=where,
            hint="a scheduler is a subclass of hetsim.schedulers.base.Scheduler",
        )
    if inspect.isabstract(found):
        raise SchedulerError(f"scheduler {name!r} does not define plan()", where=where)
    return found


def _parameters(cls: type[Scheduler]) -> dict[str, inspect.Parameter]:
    signature = inspect.signature(cls)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: p for p in signature.parameters.values() if p.kind in named}


def _checked(cls: type[Scheduler], name: str, key: str, value: object) -> object:
    """``value`` if it fits the parameter's annotation (numbers, text, truth values, choices)."""
    try:
        hint = typing.get_type_hints(cls.__init__).get(key)
    except Exception:  # an annotation that only a type checker can resolve
        return value
    if hint is None or _fits(value, hint):
        return float(value) if hint is float and isinstance(value, int) else value
    raise SchedulerError(
        f"scheduler {name!r}: parameter {key!r} is {value!r}, expected {_wanted(hint)}"
    )


def _fits(value: object, hint: object) -> bool:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    if hint is type(None):
        return value is None
    if hint in (bool, str):
        return type(value) is hint
    if hint is int:
        return type(value) is int
    if hint is float:
        return type(value) in (int, float)
    return True


def _wanted(hint: object) -> str:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(hint)))
    if origin in (typing.Union, UnionType):
        return " or ".join(_wanted(option) for option in typing.get_args(hint))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    if hint is type(None):
        return "null"
    return words.get(hint, str(hint)) if isinstance(hint, type) else str(hint)
