"""YAML that remembers where everything was written.

:func:`read_yaml` gives a :class:`Document`: plain data, and for every key and value the line and
column it stands at, so that whoever finds a fault later, in a schema or in a cross-reference, can
point at it. Changing a document (``--set``) is :mod:`hetsim.overrides`; checking one against a
schema is :mod:`hetsim.validation`.

Differences from plain YAML 1.1, each because the plain rule surprises people who write
configurations: repeated keys are errors, keys are always text, dates are text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hetsim.errors import ConfigError, Location
from hetsim.infiles import MIB, read_text

Keys = tuple[str | int, ...]
"""A path into a document: mapping keys and list indices, from the root."""

MAX_BYTES = 16 * MIB
"""Largest YAML file that is read."""

MAX_BITS = 256
"""Whole numbers of more bits are refused: nothing here is counted so far."""

MAX_ALIAS_NODES = 100_000
"""How many values the aliases of one file may add to it before it is refused."""

_DISPUTED = re.compile("[?\t\x85\u2028\u2029\ufeff]")
_STANDARD = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """Plain data read from ``file``, with the place of every key and value."""

    file: str
    data: Any
    keys: Mapping[Keys, Location]
    values: Mapping[Keys, Location]

    def where(self, path: Keys = ()) -> Location:
        """The place of the value at ``path``, or of the nearest enclosing one that exists."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.values:
                return self.values[path[:end]]
        return Location(self.file)

    def where_key(self, path: Keys) -> Location:
        """The place of the key at ``path``; of its value where there is no key (list items)."""
        return self.keys.get(path) or self.where(path)

    def get(self, path: Keys, default: Any = None) -> Any:
        """The value at ``path``, or ``default``."""
        value = self.data
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return default
        return value


def read_yaml(path: str | Path) -> Document:
    """Reads a YAML file.

    Raises:
        ConfigError: the file cannot be read (see :func:`hetsim.infiles.read_text`) or parsed.
    """
    return parse_yaml(read_text(path, limit=MAX_BYTES), str(path))


def parse_yaml(text: str, file: str) -> Document:
    """Parses YAML text; ``file`` is what locations will say.

    Raises:
        ConfigError: syntax error, several documents, nothing at all, a repeated key, an unknown
            tag, an alias inside its own anchor, aliases that blow the document up.
    """
    try:
        root = _composed(text)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = Location(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        code = ord(text[error.position])
        raise ConfigError(f"character U+{code:04X} is not allowed in YAML", where=where) from None
    except RecursionError:
        raise ConfigError("nested too deeply", where=Location(file)) from None
    if root is None:
        raise ConfigError("the file is empty", where=Location(file))
    builder = _Builder(file)
    try:
        data = builder.build(root, ())
    except RecursionError:
        raise ConfigError("nested too deeply", where=Location(file)) from None
    return Document(file, data, builder.keys, builder.values)


def parse_value(text: str, where: Location) -> Any:
    """The value a text such as ``[2, 2]``, ``true`` or ``512 KiB`` means in YAML.

    Raises:
        ConfigError: it is not YAML.
    """
    if not text.strip():
        return text
    try:
        return parse_yaml(text, str(where)).data
    except ConfigError as error:
        raise ConfigError(
            f"{text!r} is not a YAML value: {error.message}", where=where, hint=error.hint
        ) from None


def _composed(text: str) -> Node | None:
    """The nodes of a document, by libyaml where PyYAML has it (14 times as fast).

    What that refuses goes to the reader in Python, whose messages name more, and so does text with
    question marks, tabs or the spaces of Unicode, of which the two think differently: a file means
    the same, and its faults are told in the same words, wherever hetsim runs.
    """
    if yaml.__with_libyaml__ and not _DISPUTED.search(text):
        with suppress(yaml.YAMLError, UnicodeError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    where = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
    hint = None
    problem = error.problem or str(error)
    if mark:
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: mark.column + 1]:
            problem, hint = "a tab is not allowed as indentation", "use spaces"
    context = f" ({error.context})" if error.context and not hint else ""
    return ConfigError(f"YAML syntax: {problem}{context}", where=where, hint=hint)


class _Builder:
    """Turns composed nodes into plain data, noting where each came from."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[Keys, Location] = {}
        self.values: dict[Keys, Location] = {}
        self._scalars = yaml.SafeLoader("")
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._copies = 0

    def build(self, node: Node, path: Keys) -> Any:
        where = self._place(node)
        self.values[path] = where
        if id(node) in self._open:
            raise ConfigError("an alias stands inside its own anchor", where=where)
        if id(node) in self._seen:
            self._count(1, where)
        self._seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node, where)
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                self._check_tag(node, "map", where)
                return self._mapping(node, path)
            assert isinstance(node, SequenceNode)
            self._check_tag(node, "seq", where)
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: Keys) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._take(node, path, result, frozenset())
        return result

    def _take(
        self, node: MappingNode, path: Keys, result: dict[str, Any], known: frozenset[str]
    ) -> None:
        """Adds the entries of ``node`` that are not ``known``, then those it merges in.

        What ``<<`` brings keeps the place where it is written, and never replaces anything.
        """
        written: dict[str, Location] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            where = self._place(key_node)
            if not isinstance(key_node, ScalarNode):
                raise ConfigError("a key must be a plain name", where=where)
            key = str(key_node.value)
            if key_node.tag == f"{_STANDARD}merge":
                merged += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            if key in written:
                raise ConfigError(
                    f"key {key!r} is repeated; it already stands in line {written[key].line}",
                    where=where,
                    hint="keep one of them",
                )
            written[key] = where
            if key in known:
                continue
            self.keys[(*path, key)] = where
            result[key] = self.build(value_node, (*path, key))
        for base in merged:
            self._merge(base, path, result)

    def _merge(self, base: Node, path: Keys, result: dict[str, Any]) -> None:
        """Adds the entries of ``base`` (``<<: *base``) that ``result`` does not have yet."""
        where = self._place(base)
        if not isinstance(base, MappingNode):
            raise ConfigError("'<<' merges a mapping, or a list of them", where=where)
        if id(base) in self._open:
            raise ConfigError("an alias stands inside its own anchor", where=where)
        self._count(1 + len(base.value), where)
        self._open.add(id(base))
        try:
            self._take(base, path, result, frozenset(result))
        finally:
            self._open.discard(id(base))

    def _count(self, copies: int, where: Location) -> None:
        self._copies += copies
        if self._copies > MAX_ALIAS_NODES:
            raise ConfigError(f"aliases expand to more than {MAX_ALIAS_NODES} values", where=where)

    def _scalar(self, node: ScalarNode, where: Location) -> Any:
        tag = node.tag.removeprefix(_STANDARD)
        text = str(node.value)
        sexagesimal = tag in ("int", "float") and ":" in text  # YAML 1.2 has no such numbers
        if tag in ("str", "timestamp", "value", "merge") or sexagesimal:
            return text
        if tag not in ("null", "bool", "int", "float"):
            raise ConfigError(f"tag {node.tag!r} is not allowed", where=where)
        try:
            value = self._scalars.construct_object(node)
        except (ValueError, OverflowError, LookupError, yaml.YAMLError) as error:
            raise ConfigError(f"{text[:40]!r} is not a valid {tag}: {error}", where=where) from None
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise ConfigError(f"{text[:20]}... is too large a number", where=where)
        return value

    def _check_tag(self, node: Node, expected: str, where: Location) -> None:
        if node.tag != _STANDARD + expected:
            raise ConfigError(f"tag {node.tag!r} is not allowed", where=where)

    def _place(self, node: Node) -> Location:
        return Location(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
