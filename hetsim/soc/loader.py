"""From a SoC's name or file to the checked :class:`~hetsim.soc.model.SoC`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hetsim.errors import Location
from hetsim.library import find
from hetsim.overrides import apply_overrides
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.validation import json_schema, validate
from hetsim.yamlio import Document, read_yaml


def load_soc(
    name_or_path: str | Path,
    overrides: Mapping[str, object] | None = None,
    base: Path | None = None,
) -> SoC:
    """Loads a SoC by shipped name or by path (relative to ``base``).

    ``overrides`` are what-if changes, see :func:`hetsim.overrides.apply_overrides`.

    Raises:
        ConfigError: no such SoC, or one that cannot be understood; lists every problem with file,
            line and column.
    """
    return build_soc(apply_overrides(read_soc(name_or_path, base), overrides or {}))


def read_soc(
    name_or_path: str | Path, base: Path | None = None, where: Location | None = None
) -> Document:
    """Reads a SoC file without checking it; ``where`` is the place that named it.

    Raises:
        ConfigError: no such SoC, or not YAML.
    """
    return read_yaml(find("socs", name_or_path, base=base, where=where))


def build_soc(document: Document) -> SoC:
    """Checks a document and builds the SoC it describes.

    Raises:
        ConfigError: it does not fit the schema, or refers to what is not there.
    """
    return SoC.from_spec(validate(SoCSpec, document), source=document.file)


def soc_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of SoC files, all registered kinds of processing units included."""
    return json_schema(SoCSpec, "hetsim SoC")
