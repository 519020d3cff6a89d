"""What-if changes to a document before it is checked: ``npu.sram=1MiB``, ``bus.bandwidth=0.5x``.

A path is dotted; list items by number (``path.0``), or by name where they have one
(``streams.camera.deadline``). The name of a processing unit, link or memory may stand first,
without its section. A value ``2x`` or ``0.5x`` multiplies what the file says and
keeps its unit. A changed value is located where the change was asked for, so that a bad one is
reported there and not in an innocent file.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.names import suggest
from hetsim.yamlio import Document, Keys, parse_value

SECTIONS = ("pus", "links", "memory")
"""Sections whose entries may be named without the section, first match first."""

_FACTOR = re.compile(r"\s*(\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+)\s*[x×]\s*")
_NUMBER = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Override:
    """A new value and the place where it was asked for."""

    value: object
    where: Location


def apply_overrides(
    document: Document, overrides: Mapping[str, object], fields: Container[str] = ()
) -> Document:
    """A copy of ``document`` with values replaced, in the order given.

    ``fields`` are those at its top that may be named although it does not have them.

    ``overrides`` maps dotted paths to plain values, or to :class:`Override` where the asking
    place is not the command line. Texts are read as YAML, so ``"4"`` is a number.

    Raises:
        ConfigError: a path that leads nowhere, a multiplier of something that is not a quantity.
    """
    if overrides and not isinstance(document.data, dict):
        raise ConfigError(
            f"this is no mapping of fields, so {next(iter(overrides))!r} cannot be set",
            where=document.where(),
        )
    data = copy.deepcopy(document.data)
    keys, values = dict(document.keys), dict(document.values)
    for dotted_path, given in overrides.items():
        override = given if isinstance(given, Override) else None
        where = override.where if override else Location(f"--set {dotted_path}")
        path = _find(data, dotted_path, where, fields)
        value = override.value if override else given
        if isinstance(value, str):
            factor = _FACTOR.fullmatch(value)
            present = _get(data, path)
            if factor and present is None:
                raise ConfigError(
                    f"{dotted_path!r} is not written in the file, so there is nothing to multiply"
                    f" by {float(factor[1].replace('_', '')):g}",
                    where=where, hint=_written(data, path),
                )  # fmt: skip
            value = (
                _multiply(present, float(factor[1].replace("_", "")), dotted_path, where)
                if factor
                else parse_value(value, where)
            )
        _put(data, path, copy.deepcopy(value), dotted_path, where)
        for table in (keys, values):
            for old in [k for k in table if k[: len(path)] == path]:
                del table[old]
        # Mappings that the path had to make on its way are this override's doing, too.
        made = next(end for end in range(1, len(path) + 1) if path[:end] not in values)
        for end in range(made, len(path) + 1):
            keys[path[:end]] = values[path[:end]] = where
    return Document(document.file, data, keys, values)


def split_assignment(text: str) -> tuple[str, str]:
    """Splits ``path=value`` as given to ``--set``.

    Raises:
        ConfigError: no ``=``, or nothing before it.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError(
            f"{text!r} is not a change", where=Location("--set"), hint="write it like npu.sram=1MiB"
        )
    return path.strip(), value.strip()


def _find(data: Any, dotted_path: str, where: Location, fields: Container[str]) -> Keys:
    """The path meant by ``dotted_path``; its last parts may not exist yet."""
    words = dotted_path.split(".")
    if not all(words):
        raise ConfigError(f"{dotted_path!r} is not a path", where=where)
    if words[0] not in data:
        entries = [(s, data[s]) for s in SECTIONS if isinstance(data.get(s), dict)]
        section = next((s for s, names in entries if words[0] in names), None)
        if section is None and (len(words) == 1 or words[0] in fields):
            return tuple(words)  # a top-level field not written so far; the schema decides
        if section is None:
            known = [*data, *(name for _, names in entries for name in names)]
            raise ConfigError(
                f"nothing is called {words[0]!r}", where=where, hint=suggest(words[0], known)
            )
        words.insert(0, section)
    elif words[0] in SECTIONS and len(words) > 1 and isinstance(data[words[0]], dict):
        names = data[words[0]]
        if words[1] not in names and len(words) > 2:
            raise ConfigError(
                f"{words[0]!r} has no entry {words[1]!r}",
                where=where,
                hint=suggest(words[1], names),
            )
    return tuple(_steps(data, words, dotted_path, where))


def _steps(data: Any, words: list[str], dotted_path: str, where: Location) -> Iterator[str | int]:
    """Follows ``words`` into the data; keys that hold dots themselves match longest first."""
    at = 0
    while at < len(words):
        if isinstance(data, list):
            index, at = _item(data, words, at, dotted_path, where)
            yield index
            data = data[index]
        elif isinstance(data, dict):
            ends = range(len(words), at, -1)
            end = next((e for e in ends if ".".join(words[at:e]) in data), at + 1)
            key = ".".join(words[at:end])
            yield key
            data, at = data.get(key, {}), end
        else:
            raise ConfigError(
                f"{dotted_path!r}: there is no {words[at]!r} below the value {data!r}", where=where
            )


def _item(
    data: list[Any], words: list[str], at: int, dotted_path: str, where: Location
) -> tuple[int, int]:
    """The position of the item that ``words`` from ``at`` on mean, and where the next words are."""
    names = [_called(item) for item in data]
    for end in range(len(words), at, -1):
        name = ".".join(words[at:end])
        if name in names:
            return names.index(name), end
    index = int(words[at]) if words[at].isdecimal() and len(words[at]) < 10 else -1
    if 0 <= index < len(data):
        return index, at + 1
    hint = f"items are numbered 0 to {len(data) - 1}" if data else None
    known = [name for name in names if name is not None]
    if known and not words[at].isdecimal():
        hint = suggest(words[at], known)
    raise ConfigError(
        f"{dotted_path!r}: {words[at]!r} is not an item of a list of {len(data)}",
        where=where,
        hint=hint,
    )


def _called(item: Any) -> str | None:
    """The name of a list's item; a stream without one is called as its model is."""
    if not isinstance(item, dict):
        return None
    name = next((item[key] for key in ("label", "name", "model") if key in item), None)
    return name if isinstance(name, str) else None


def _get(data: Any, path: Keys) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else data[key]
        if data is None:
            return None
    return data


def _written(data: Any, path: Keys) -> str:
    """What may be multiplied instead of ``path``, which is not there: its name further down, else
    the quantities beside it."""
    beside = _get(data, path[:-1])
    shown = path[1:] if path[0] in SECTIONS else path
    found = [".".join(map(str, (*shown[:-1], *below))) for below in _numbers(beside)]
    deeper = [name for name in found if name.endswith(f".{path[-1]}")]
    near = [name for name in found if name.count(".") == len(shown) - 1]
    if not deeper and not near:
        return "give the value itself"
    return f"give the value itself, or multiply {' or '.join((deeper or near)[:6])}"


def _numbers(data: Any) -> Iterator[tuple[str, ...]]:
    """The ways to all quantities below."""
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        if isinstance(value, dict):
            yield from ((key, *below) for below in _numbers(value))
        elif _NUMBER.fullmatch(str(value)) and not isinstance(value, bool):
            yield (key,)


def _put(data: Any, path: Keys, value: Any, dotted_path: str, where: Location) -> None:
    for key in path[:-1]:
        if isinstance(data, dict) and key not in data:
            data[key] = {}
        data = data[key]
    data[path[-1]] = value


def _multiply(present: Any, factor: float, dotted_path: str, where: Location) -> Any:
    if isinstance(present, list):
        return [_multiply(item, factor, dotted_path, where) for item in present]
    if isinstance(present, int | float) and not isinstance(present, bool):
        product = present * factor
        if not math.isfinite(product):
            raise ConfigError(f"{present} times {factor:g} is no finite number", where=where)
        whole = isinstance(present, int) and product == int(product)
        return int(product) if whole else product
    match = _NUMBER.fullmatch(present) if isinstance(present, str) else None
    if match is None:
        raise ConfigError(
            f"{dotted_path!r} is {present!r}, not a number, so there is nothing to multiply by"
            f" {factor:g}",
            where=where,
            hint="give the value itself",
        )
    return f"{float(match[1].replace('_', '')) * factor!r}{match[2]}"
