"""Docstrings of hetsim are read in an editor first; this makes web pages of them.

A role such as ``:class:`~hetsim.plan.model.Plan``` becomes a link to what it names: an absolute
name, one that begins with a dot, or one of the same class or module. A role that names nothing of
hetsim is a warning, and so ends a strict build. A ``::`` that introduces an indented block becomes
a colon.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

from griffe import Alias, Class, Extension, GriffeLoader, Module, Object

ROLE = re.compile(r":(?:py:)?(?:mod|class|func|meth|attr|data|exc|obj):`(~?)([\w.]+)(?:\(\))?`")
LITERAL = re.compile(r"::(?=\n\n {2,}\S)")

_log = logging.getLogger("mkdocs.plugins.hetsim.roles")


class Roles(Extension):
    """Rewrites every docstring of a package once all of it is loaded."""

    def on_package(self, *, pkg: Module, loader: GriffeLoader, **_: Any) -> None:
        """Called by griffe when the package is complete."""
        for item in _objects(pkg):
            if item.docstring is not None:
                item.docstring.value = rewritten(item.docstring.value, item, pkg)


def rewritten(text: str, item: Object, package: Module) -> str:
    """``text``, a docstring of ``item``, as Markdown."""

    def link(match: re.Match[str]) -> str:
        short, name = match.groups()
        label = name.rpartition(".")[2] if short else name.lstrip(".")
        if not short and name.startswith("."):
            label = name.rpartition(".")[2]
        path = resolve(name, item, package)
        if path is None:
            if name.split(".")[0] in ("", package.name):
                _log.warning("%s: nothing is called %r", item.path, name)
            return f"`{label}`"
        return f'<autoref identifier="{path}" optional><code>{label}</code></autoref>'

    return LITERAL.sub(":", ROLE.sub(link, text))


def resolve(name: str, item: Object, package: Module) -> str | None:
    """The full path of what a role names, ``None`` when it is nothing of ``package``."""
    places = [""]
    scope: Object | Alias | None = item
    while scope is not None:
        if isinstance(scope, (Class, Module)):
            places.append(f"{scope.path}.")
        scope = scope.parent
    bare = name.lstrip(".")
    for place in places[1:] if name.startswith(".") else places:
        found = _find(package, place + bare)
        if found is not None:
            return found
    return None


def _find(package: Module, path: str) -> str | None:
    if path == package.path:
        return path
    if not path.startswith(f"{package.path}."):
        return None
    try:
        return str(package[path.removeprefix(f"{package.path}.")].canonical_path)
    except Exception:  # griffe raises many kinds of error for what is not there
        return None


def _objects(item: Object) -> Iterator[Object]:
    yield item
    for member in item.members.values():
        if isinstance(member, Object):
            yield from _objects(member)
