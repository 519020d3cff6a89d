"""The lists of a NEST-C plan, each taken from its file with its place.

A flat map, folded or not; the compiler's successor writes the same lists as the only item of a
sequence, with ``name`` and ``numPartitions``. A node is ``NAME-PARTITION`` or
``NAME-PARTITION-BACKEND``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError, Location, PlanError
from hetsim.names import suggest
from hetsim.plan.nestc.nodematch import Node
from hetsim.yamlio import Document, Keys, read_yaml

KEYS = ("partitionNames", "nodeToPartition", "backendNames")
"""One of these makes a file a NEST-C plan."""


def read_document(path: str | Path) -> Document:
    """A YAML file. Raises :class:`PlanError` when it is none."""
    try:
        return read_yaml(path)
    except ConfigError as error:
        raise PlanError(error.message, where=error.where, hint=error.hint) from None


def is_plan(document: Document) -> bool:
    """Whether it holds the lists of a NEST-C plan."""
    data = document.data
    return any(map(_is_lists, data)) if isinstance(data, list) else _is_lists(data)


def _is_lists(data: Any) -> bool:
    return isinstance(data, dict) and not data.keys().isdisjoint(KEYS)


class PlanLists:
    """The lists of one file.

    Raises:
        PlanError: here and from each property, located: not such a plan, several in one file,
            missing or inconsistent entries.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        data = document.data
        self._root: Keys = (0,) if isinstance(data, list) else ()
        if isinstance(data, list) and len(data) != 1:
            what = f"it holds {len(data)} items, a NEST-C plan is one"
            raise PlanError(what, where=document.where((1,)))
        data = data[0] if isinstance(data, list) else data
        if not isinstance(data, dict):
            raise PlanError("a NEST-C plan is a mapping", where=document.where())
        self._data: Mapping[str, Any] = data

    @property
    def form(self) -> str:
        """``map``, or ``sequence`` for the successor's."""
        return "sequence" if self._root else "map"

    @property
    def network(self) -> str:
        """The name of the network's file, empty when it does not say."""
        return str(self._data.get("funcName", self._data.get("name", "")))

    @cached_property
    def partitions(self) -> list[str]:
        """The partitions in execution order; the last may be the dummy that is never called."""
        names = self._list("partitionNames")
        for name in names:
            if not re.fullmatch(r"p\d+", name):
                raise self.fault("partitionNames", f"{name!r} is not of the form p<number>")
        if len(set(names)) < len(names):
            raise self.fault("partitionNames", "a partition name is repeated")
        for key in ("numOfPartitions", "numPartitions"):
            count = str(self._data.get(key, len(names))).strip()
            if count not in (str(len(names)), str(len(names) + 1)):
                raise self.fault(key, f"{count} does not fit {len(names)} names")
        return names

    @cached_property
    def backends(self) -> list[str]:
        """The backend of each partition."""
        backends = self._list("backendNames")
        if len(backends) != len(self.partitions):
            raise self.fault(
                "backendNames", f"{len(backends)} backends for {len(self.partitions)} partitions"
            )
        return backends

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes in the order of the file, each once."""
        position = {name: i for i, name in enumerate(self.partitions)}
        found: dict[str, int] = {}
        for item in self._list("nodeToPartition"):
            node, number, *_ = [*map(str.strip, item.split("-")), ""]
            place = position.get(f"p{number}")
            if place is None:
                message = f"{item!r} is not <node>-<number of a partition>"
                raise self.fault("nodeToPartition", message)
            if found.setdefault(node, place) != place:
                raise self.fault("nodeToPartition", f"node {node!r} is in two partitions")
        return [Node(name, partition) for name, partition in found.items()]

    @cached_property
    def groups(self) -> list[tuple[str, ...]]:
        """Partitions that run in parallel."""
        groups = []
        for item in self._text("parallelPartitions", "").split(":"):
            text = item.strip()
            if not text:
                continue
            members = [m.strip() for m in text.removeprefix("(").removesuffix(")").split("||")]
            for member in members:
                if member not in self.partitions:
                    message = f"{text!r} names {member!r}, which does not exist"
                    raise self.fault("parallelPartitions", message)
            groups.append(tuple(members))
        return groups

    def where(self, key: str) -> Location:
        """The place of a list."""
        return self._document.where((*self._root, key))

    def fault(self, key: str, message: str) -> PlanError:
        """The error that says what is wrong with a list."""
        return PlanError(f"{key}: {message}", where=self.where(key))

    def _text(self, key: str, default: str | None = None) -> str:
        if key not in self._data:
            if default is not None:
                return default
            hint = suggest(key, self._data, "it has")
            where = self._document.where(self._root)
            raise PlanError(f"entry {key!r} is missing", where=where, hint=hint)
        return "" if self._data[key] is None else str(self._data[key])

    def _list(self, key: str) -> list[str]:
        items = [item.strip() for item in self._text(key).split(":")]
        return [item for item in items if item]
