"""Where the shipped SoCs and scenarios are, and how a name becomes a file.

They stand beside the package in a checkout (``socs/``, ``scenarios/``) and inside it in an
installed wheel (``hetsim/shipped/``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hetsim.errors import ConfigError, Location
from hetsim.infiles import user_path
from hetsim.names import suggest

Shelf = Literal["socs", "scenarios"]
_WHAT = {"socs": "SoC", "scenarios": "scenario"}


def shelf_path(shelf: Shelf) -> Path:
    """The directory that holds the shipped files of a shelf.

    Raises:
        ConfigError: the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "shipped" / shelf, package.parent / shelf):
        if candidate.is_dir():
            return candidate
    raise ConfigError(f"this installation of hetsim has no {shelf}", hint="install hetsim again")


def shipped(shelf: Shelf) -> dict[str, Path]:
    """Shipped files by name, in alphabetical order."""
    return {path.stem: path for path in sorted(shelf_path(shelf).glob("*.yaml"))}


def find(
    shelf: Shelf,
    name_or_path: str | Path,
    *,
    base: Path | None = None,
    where: Location | None = None,
) -> Path:
    """The file meant by a shipped name or a path.

    Whatever ends in ``.yaml`` or ``.yml``, or holds a directory, is a path, relative to ``base``
    (default: the working directory); anything else is a shipped name. A shipped file's path as
    it stands in the repository (``scenarios/quickstart.yaml``) works from everywhere.

    Raises:
        ConfigError: neither exists; located at ``where``, the place that named it.
    """
    text = str(name_or_path)
    if not text.strip():
        raise ConfigError(f"the name of a {_WHAT[shelf]} is empty", where=where)
    path = Path(text)
    if path.suffix not in (".yaml", ".yml") and len(path.parts) == 1 and "~" not in text:
        known = shipped(shelf)
        if text in known:
            return known[text]
        raise ConfigError(
            f"no {_WHAT[shelf]} is called {text!r}",
            where=where,
            hint=f"{suggest(text, known, 'shipped')}; or give the path of a .yaml file",
        )
    path = user_path(path, where)
    located = base / path if base is not None else path
    if located.exists():
        return located
    if path.parts[:-1] == (shelf,) and path.stem in shipped(shelf):
        return shipped(shelf)[path.stem]
    raise ConfigError(f"there is no file {str(located)!r}", where=where)


def called(shelf: Shelf, path: str | Path) -> str:
    """What :func:`find` finds a file by: the name of a shipped one, the path of any other."""
    return next((name for name, place in shipped(shelf).items() if place == Path(path)), str(path))
