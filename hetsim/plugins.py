"""Classes that hetsim finds by name: its own, and those that installed packages declare.

A *reference* is ``module:Class``, as in entry points. Nothing registers itself by being imported.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any, TypeVar

from hetsim.errors import ConfigError

T = TypeVar("T")


def installed(group: str) -> list[EntryPoint]:
    """The entry points of ``group``, in alphabetical order; nothing is imported."""
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def entry_points(group: str) -> EntryPoints:
    """As that of :mod:`importlib.metadata`, which reads every package's files each time."""
    found: EntryPoints = _declared(tuple(sys.path)).select(group=group)
    return found


@cache
def _declared(_path: tuple[str, ...]) -> Any:  # its type depends on the version of Python
    return metadata.entry_points()


def registered(
    group: str, base: type[T], built_in: Mapping[str, str], what: str
) -> dict[str, type[T]]:
    """Subclasses of ``base`` by name: ``built_in`` references, then the entry points of ``group``.

    Raises:
        ConfigError: an entry point that :func:`load_class` refuses, or one that takes the name of
            another; ``what`` is what the message calls it.
    """
    own = [EntryPoint(name, reference, group) for name, reference in built_in.items()]
    found: dict[str, type[T]] = {}
    for point in (*own, *installed(group)):
        said = f"{what} {point.name!r}"
        loaded = load_class(point.value, base, said)
        if point.name in found:
            raise ConfigError(f"{said} of {point.value!r} takes a name that is already in use")
        found[point.name] = loaded
    return found


def load(point: EntryPoint, what: str) -> object:
    """The object that an entry point names.

    Raises:
        ConfigError: it cannot be imported, or has no such attribute.
    """
    try:
        found: object = point.load()
    except Exception as error:
        raise ConfigError(f"{what} of {point.value!r} cannot be loaded: {error}") from error
    return found


def load_class(reference: object, base: type[T], what: str) -> type[T]:
    """The subclass of ``base`` that a reference names; a class may stand for itself.

    Raises:
        ConfigError: it cannot be imported, is no such class, or leaves a method undefined.
    """
    said = f"{what} of {reference!r}"
    loaded = (
        load(EntryPoint(what, reference, ""), what) if isinstance(reference, str) else reference
    )
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise ConfigError(f"{said} is not a subclass of {base.__module__}.{base.__qualname__}")
    missing = ", ".join(f"{name}()" for name in sorted(getattr(loaded, "__abstractmethods__", ())))
    if missing:
        raise ConfigError(f"{said} does not define {missing}")
    return loaded
