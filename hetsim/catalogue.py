"""Classes that users name, by registered name or by file, made with checked parameters.

Three sources, looked up in this order: a built-in table (which works from a plain checkout too),
entry points that installed packages declare, and paths like ``./mine.py:Mine``. Nothing is
imported until it is asked for.
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
from typing import Generic, TypeVar

from hetsim.errors import HetsimError, Location
from hetsim.names import suggest
from hetsim.plugins import installed

T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue(Generic[T]):
    """Classes of one sort.

    ``what`` is what messages call one, ``error`` what is raised; ``group`` is that of their entry
    points, and ``built_in`` has ``module:Class`` by name. All are subclasses of ``base``.
    """

    what: str
    group: str
    base: type[T]
    built_in: Mapping[str, str]
    error: type[HetsimError]

    def names(self) -> list[str]:
        """What :meth:`find` knows: the built-in ones, then those of installed packages."""
        return [*self.built_in, *sorted(self._installed().keys() - self.built_in.keys())]

    def origin(self, name: str) -> str:
        """Where a class of :meth:`names` comes from: ``built in``, or what its package declares."""
        return "built in" if name in self.built_in else self._installed()[name].value

    def create(self, name: str, parameters: Mapping[str, object] | None = None) -> T:
        """A fresh one: ``name`` is a known name, or ``path/to/file.py:ClassName``.

        Raises ``error`` for an unknown name, a file that cannot be loaded, a parameter that the
        class does not have, lacks, or rejects.
        """
        return self.construct(self.find(name), name, parameters or {})

    def construct(self, cls: type[T], name: str, parameters: Mapping[str, object]) -> T:
        """One of a class that is at hand; ``name`` is what errors call it.

        Raises ``error`` for a parameter that it does not have, lacks, or rejects.
        """
        given = dict(parameters)
        known = parameters_of(cls)
        for key in given:
            if key not in known:
                hint = suggest(key, known, "its parameters")
                raise self.error(f"{self.what} {name!r} has no parameter {key!r}", hint=hint)
        for key, parameter in known.items():
            if parameter.default is parameter.empty and key not in given:
                raise self.error(f"{self.what} {name!r} needs parameter {key!r}")
        given = {key: self._checked(cls, name, key, value) for key, value in given.items()}
        try:
            return cls(**given)
        except HetsimError:
            raise
        except Exception as error:
            raise self.error(
                f"{self.what} {name!r} cannot be constructed: {type(error).__name__}: {error}",
                where=innermost(error, inspect.getsourcefile(cls)),
            ) from error

    def find(self, name: str) -> type[T]:
        """The class behind ``name``. Raises ``error`` as :meth:`create` does."""
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return self.check(getattr(importlib.import_module(module), attribute), name)
        path, colon, attribute = name.rpartition(":")
        if colon and path.endswith(".py"):
            return self._from_file(Path(path), attribute, name)
        if name.endswith(".py"):
            raise self.error(
                f"{name!r} names a file but no class",
                hint=f"write it like {name}:My{self.base.__name__}",
            )
        others = self._installed()
        if name in others:
            entry = others[name]
            try:
                loaded = entry.load()
            except Exception as error:
                raise self.error(
                    f"{self.what} {name!r} of {entry.value} cannot be imported:"
                    f" {type(error).__name__}: {error}"
                ) from error
            return self.check(loaded, name)
        raise self.error(
            f"there is no {self.what} {name!r}",
            hint=suggest(name, self.names()) + f"; or a file: ./mine.py:My{self.base.__name__}",
        )

    def check(self, found: object, name: str, where: Location | None = None) -> type[T]:
        """``found``, if it is a class of the sort that defines all it must.

        Raises ``error`` when it is something else, or leaves a method undefined.
        """
        base = f"{self.base.__module__}.{self.base.__qualname__}"
        if not (isinstance(found, type) and issubclass(found, self.base)):
            raise self.error(
                f"{name!r} is not a {self.what}",
                where=where,
                hint=f"a {self.what} is a subclass of {base}",
            )
        if inspect.isabstract(found):
            undefined = sorted(getattr(found, "__abstractmethods__", ()))
            missing = ", ".join(f"{method}()" for method in undefined)
            raise self.error(f"{self.what} {name!r} does not define {missing}", where=where)
        return found

    def _installed(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in installed(self.group)}

    def _from_file(self, path: Path, attribute: str, name: str) -> type[T]:
        where = Location(str(path))
        if not path.is_file():
            raise self.error(f"there is no such {self.what} file", where=where)
        module = self._import_file(path)
        if not hasattr(module, attribute):
            classes = [
                key
                for key, value in vars(module).items()
                if isinstance(value, type) and value.__module__ == module.__name__
            ]
            hint = suggest(attribute, classes, "classes in it")
            raise self.error(f"it defines no {attribute!r}", where=where, hint=hint)
        return self.check(getattr(module, attribute), name, where)

    def _import_file(self, path: Path) -> ModuleType:
        """Imports a file under a name of its own, afresh when the file has changed."""
        resolved = path.resolve()
        try:
            content = resolved.read_bytes()
        except OSError as error:
            raise self.error(
                f"cannot be read: {error.strerror}", where=Location(str(path))
            ) from None
        digest = hashlib.sha256(str(resolved).encode() + b"\0" + content).hexdigest()[:16]
        module_name = f"_hetsim_{self.what}_{resolved.stem}_{digest}"
        if module_name in sys.modules:
            return sys.modules[module_name]
        spec = importlib.util.spec_from_file_location(module_name, resolved)
        if spec is None or spec.loader is None:
            raise self.error("it is not a Python file", where=Location(str(path)))
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module  # dataclasses and pickle look their module up
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[module_name]
            raise self.error(
                f"the {self.what} file cannot be imported: {type(error).__name__}: {error}",
                where=innermost(error, str(resolved), shown=str(path)),
            ) from error
        return module

    def _checked(self, cls: type[T], name: str, key: str, value: object) -> object:
        """``value`` if it fits the parameter's annotation (numbers, text, truth, choices)."""
        try:
            hint = typing.get_type_hints(cls.__init__).get(key)
        except Exception:  # an annotation that only a type checker can resolve
            return value
        if hint is None or _fits(value, hint):
            return float(value) if hint is float and isinstance(value, int) else value
        raise self.error(
            f"{self.what} {name!r}: parameter {key!r} is {value!r}, expected {_wanted(hint)}"
        )


def parameters_of(cls: type) -> dict[str, inspect.Parameter]:
    """What may be given to a class by keyword, by name."""
    signature = inspect.signature(cls)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: p for p in signature.parameters.values() if p.kind in named}


def parameter_texts(cls: type) -> dict[str, str]:
    """What may be given to a class, with the defaults as text."""
    return {
        p.name: "required" if p.default is p.empty else repr(p.default)
        for p in parameters_of(cls).values()
    }


def code_hash(what: object) -> str:
    """SHA-256 of the source of a class, where it can be read, and of what an object holds."""
    cls = what if isinstance(what, type) else type(what)
    try:
        text = inspect.getsource(cls)
    except (OSError, TypeError):  # typed into an interpreter that keeps no source
        text = f"{cls.__module__}.{cls.__qualname__}"
    held = "" if isinstance(what, type) else repr(sorted(vars(what).items()))
    return hashlib.sha256(f"{text}\n{held}".encode()).hexdigest()


def file_hash(name: str) -> str | None:
    """SHA-256 of the file that ``FILE.py:CLASS`` names; ``None`` of other names."""
    file, colon, _ = name.rpartition(":")
    text = Path(file).read_bytes() if colon and Path(file).is_file() else b""
    return hashlib.sha256(text).hexdigest() if text else None


def innermost(error: BaseException, file: str | None, shown: str | None = None) -> Location | None:
    """The deepest line of ``file`` on the way to ``error``."""
    if isinstance(error, SyntaxError) and file is not None and error.filename == file:
        return Location(shown or file, error.lineno, error.offset)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    if not frames:
        return Location(shown) if shown else None
    return Location(shown or frames[-1].filename, frames[-1].lineno)


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
