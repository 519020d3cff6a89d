"""Writing calibrated values into a copy of a SoC file, its comments kept.

Values are replaced in the text where they stand; what is not there yet is added at the end of its
mapping. What another unit shares with a changed mapping (an anchor of YAML) is written out there,
so that nothing else changes. Each carries a comment that says where it comes from. The result is
checked like any SoC file before it is written, and written whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node

from hetsim.drafts import write_file
from hetsim.errors import ConfigError, Location, ResultsError
from hetsim.infiles import read_text
from hetsim.soc.schema import SoCSpec
from hetsim.validation import dotted, validate
from hetsim.yamlio import Keys, parse_yaml


def calibrated_text(text: str, changes: Mapping[Keys, Any], header: str, mark: str) -> str:
    """``text`` of a SoC file with ``changes`` made, each marked with the comment ``mark``.

    ``header`` (lines without ``#``) is put in front as comments.

    Raises:
        ConfigError: a change whose parent is not in the file.
    """
    text = _unshared(text, changes)
    for path, value in changes.items():
        text = _set(text, path, value, mark)
    comment = "".join(f"# {line}\n".replace("# \n", "#\n") for line in header.splitlines())
    return comment + text


def write_calibrated_soc(
    source: str | Path,
    target: str | Path,
    changes: Mapping[Keys, Any],
    *,
    header: str,
    mark: str,
    force: bool = False,
) -> None:
    """Writes the SoC file ``source`` with ``changes`` to ``target``.

    Raises:
        ConfigError: ``source`` cannot be read, or the result would not be a valid SoC.
        ResultsError: ``target`` exists and ``force`` is not given.
    """
    out = Path(target)
    if out.exists() and not force:
        raise ResultsError(
            "the file exists and is not overwritten",
            where=Location(str(target)),
            hint="give --force, or another name with -o",
        )
    text = calibrated_text(read_text(source), changes, header, mark)
    validate(SoCSpec, parse_yaml(text, str(target)))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_file(out, text, replace=force)


def _unshared(text: str, paths: Iterable[Keys]) -> str:
    """``text`` in which nothing on ``paths`` has an anchor; its aliases are written out."""
    root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    shared: dict[int, Node] = {}
    for path in paths:
        node = root
        for key in path:
            if (node := _child(node, key)) is None:
                break
            shared[node.start_mark.index] = node
    written: dict[str, str] = {}
    edits: list[tuple[int, int, str]] = []
    for token in yaml.scan(text):
        begin, end = token.start_mark.index, token.end_mark.index
        if isinstance(token, yaml.AnchorToken):
            written.pop(token.value, None)
            if begin in shared:
                data = yaml.SafeLoader("").construct_document(shared[begin])
                written[token.value] = _flow(data)
                edits.append((len(text[:begin].rstrip(" ")), end, ""))
        elif isinstance(token, yaml.AliasToken) and token.value in written:
            edits.append((begin, end, written[token.value]))
    for begin, end, new in reversed(edits):
        text = text[:begin] + new + text[end:]
    return text


def _flow(data: Any) -> str:
    dumped: str = yaml.safe_dump(data, default_flow_style=True, sort_keys=False, width=10_000)
    return dumped.removesuffix("...\n").strip()


def _set(text: str, path: Keys, value: Any, mark: str) -> str:
    """``text`` with the value at ``path`` set."""
    node: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(path[:-1]):
        child = _child(node, key)
        if child is None:
            raise ConfigError(f"the file has no {dotted(path[: depth + 1])}")
        if isinstance(child, MappingNode) and child.flow_style:
            return _rewrite_flow(text, child, path[depth + 1 :], value, mark)
        node = child
    if not isinstance(node, MappingNode):
        raise ConfigError(f"{dotted(path[:-1])} is not a mapping")
    key = str(path[-1])
    indent = " " * (node.value[0][0].start_mark.column if node.value else 0)
    lines = _render(key, value, indent, mark)
    for name, old in node.value:
        if name.value == key:
            begin = text.rfind("\n", 0, name.start_mark.index) + 1
            end = _end_of_line(text, _last_index(old))
            return text[:begin] + lines + text[end:]
    end = _end_of_line(text, _last_index(node))
    return text[:end] + lines + text[end:]


def _rewrite_flow(text: str, node: MappingNode, path: Keys, value: Any, mark: str) -> str:
    """Replaces a ``{...}`` mapping by itself with the value at ``path`` in it set."""
    data = yaml.safe_load(text[node.start_mark.index : node.end_mark.index])
    inner = data
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = value
    flow = _flow(data)
    end = node.end_mark.index
    stop = text.find("\n", end)
    rest = text[end:] if stop < 0 else text[end:stop]
    comment = "" if "#" in rest or rest.strip() else f"  # {mark}"
    tail = "" if stop < 0 else text[stop:]
    return text[: node.start_mark.index] + flow + rest + comment + tail


def _child(node: Node | None, key: object) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == str(key)), None)


def _last_index(node: Node) -> int:
    """Where the text of ``node`` really ends: block collections claim the blanks that follow."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_index(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _end_of_line(text: str, index: int) -> int:
    stop = text.find("\n", max(index - 1, 0) if text[index - 1 : index] == "\n" else index)
    return len(text) if stop < 0 else stop + 1


def _render(key: str, value: Any, indent: str, mark: str) -> str:
    """A key with its value as block YAML, marked, ending in a newline."""
    body = yaml.safe_dump({key: value}, sort_keys=False, default_flow_style=False)
    first, *rest = body.splitlines()
    return "".join(f"{indent}{line}\n" for line in (f"{first}  # {mark}", *rest))
