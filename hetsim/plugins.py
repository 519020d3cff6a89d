"""Classes that are named in tables and entry points, and imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from hetsim.errors import ConfigError


def installed(group: str) -> dict[str, EntryPoint]:
    """What installed packages declare in an entry-point group, by name and in that order."""
    return {entry.name: entry for entry in sorted(entry_points(group=group), key=lambda e: e.name)}


def load(path: str, what: str) -> object:
    """What ``module:attribute`` names; ``what`` is that to the user.

    Raises:
        ConfigError: it cannot be imported.
    """
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{what} cannot be imported from {path}: {error}") from error
