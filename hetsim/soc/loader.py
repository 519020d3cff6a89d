"""From a SoC's name or file to the checked :class:`~hetsim.soc.model.SoC`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hetsim.errors import Location
from hetsim.library import find
from hetsim.overrides import apply_overrides
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.validation import validate
from hetsim.yamlio import read_yaml


def load_soc(
    name_or_path: str | Path,
    overrides: Mapping[str, object] | None = None,
    base: Path | None = None,
    *,
    where: Location | None = None,
) -> SoC:
    """Loads a SoC by shipped name or by path (relative to ``base``).

    ``overrides`` are what-if changes, see :func:`hetsim.overrides.apply_overrides`. ``where`` is
    the place that named the SoC, for the error about a name nobody knows.

    Raises:
        ConfigError: no such SoC, or one that cannot be understood; lists every problem with file,
            line and column.
    """
    file = find("socs", name_or_path, base=base, where=where)
    document = read_yaml(file)
    if overrides:
        document = apply_overrides(document, overrides)
    return SoC.from_spec(validate(SoCSpec, document), source=str(file))
