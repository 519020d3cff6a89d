"""Tables of reference values: files of ``hetsim/data``, or of a directory of the user's.

``sources.yaml`` beside them tells of each file where it comes from and under which licence; without
an entry there no file is read.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.infiles import MIB, read_text
from hetsim.names import suggest
from hetsim.validation import validate
from hetsim.yamlio import read_yaml

MAX_BYTES = 16 * MIB
"""Largest table that is read."""


class UnavailableError(HetsimError):
    """What a check needs is not here: a table that does not ship, a program, a quiet machine."""


class Source(BaseModel):
    """Where a table comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str = Field(description="what one row is, and who obtained it how")
    source: str = Field(description="where it is public, with a version or commit")
    licence: str = Field(description="SPDX name, or what is known")
    changes: str = Field(default="none", description="what was left out or converted")
    ships: bool = Field(default=True, description="whether the licence lets it be part of hetsim")


class Sources(BaseModel):
    """The file ``sources.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: Mapping[str, Source]


def data_path() -> Path:
    """The directory with the tables that ship."""
    return Path(__file__).resolve().parents[1] / "data"


@cache
def sources() -> Mapping[str, Source]:
    """What is known of each table, by file name."""
    return validate(Sources, read_yaml(data_path() / "sources.yaml")).tables


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of hetsim; those of ``own`` (a directory) stand in for files of the same name.

    ``own`` is also where tables come from that may not ship.
    """

    own: Path | None = None

    def __post_init__(self) -> None:
        if self.own is not None and not self.own.is_dir():
            raise ConfigError(f"there is no directory {str(self.own)!r}", where=Location("--data"))

    def path(self, name: str) -> Path:
        """The file called ``name``.

        Raises:
            ConfigError: ``sources.yaml`` does not know it.
            UnavailableError: it does not ship and is not in ``own``.
        """
        known = sources()
        if name not in known:
            raise ConfigError(f"there is no table {name!r}", hint=suggest(name, known))
        if self.own is not None and (self.own / name).is_file():
            return self.own / name
        if known[name].ships:
            return data_path() / name
        raise UnavailableError(
            f"{name} does not ship with hetsim ({known[name].licence})",
            hint=f"it is made from {known[name].source}; give its directory with --data",
        )

    def is_own(self, name: str) -> bool:
        """Whether :meth:`path` finds a file of the user's."""
        return self.own is not None and (self.own / name).is_file()

    def text(self, name: str) -> str:
        """The content of :meth:`path`."""
        return read_text(self.path(name), limit=MAX_BYTES)

    def document(self, name: str) -> dict[str, Any]:
        """A JSON file that holds an object.

        Raises:
            ConfigError: it is none, with the line and column where it ends to be.
        """
        try:
            found = json.loads(self.text(name))
        except json.JSONDecodeError as error:
            where = Location(str(self.path(name)), error.lineno, error.colno)
            raise ConfigError(f"not JSON, or cut off: {error.msg}", where=where) from None
        if not isinstance(found, dict):
            where = Location(str(self.path(name)))
            raise ConfigError("an object was expected in the file", where=where)
        return found

    def records(self, name: str) -> list[dict[str, str]]:
        """The rows of a CSV file by column; empty fields are empty texts.

        Raises:
            ConfigError: a row that is longer or shorter than the header, with its line.
        """
        reader = csv.DictReader(io.StringIO(self.text(name)))
        found = []
        for row in reader:
            if None in row or None in row.values():
                where = Location(str(self.path(name)), reader.line_num)
                raise ConfigError(
                    f"a row with another number of fields than the {len(reader.fieldnames or ())}"
                    " of the header",
                    where=where,
                )
            found.append(dict(row))
        return found


def named(name: str) -> Path:
    """The file of that name, or where there is none, the table of hetsim's that is called so."""
    path = Path(name)
    return Tables().path(name) if not path.exists() and name in sources() else path
