"""Quantities with units: ``"1.2 GHz"``, ``"512 KiB"``, ``"12.8 GB/s"`` to SI floats and back.

Inside hetsim everything is SI: seconds, bytes, bytes per second, hertz, watts, joules. Decimal
prefixes are powers of 1000 (``GB``), binary ones powers of 1024 (``GiB``). A bare number is refused
where a unit is expected, because a missing factor of a thousand is the commonest mistake in
a SoC description; plain zero is the exception.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from hetsim.errors import UnitError

_DECIMAL = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_SMALL = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "": 1.0}

_BYTES = {f"{p}B": f for p, f in (_DECIMAL | _BINARY).items()}
_RATES = {f"{u}/s": f for u, f in _BYTES.items()}
_BITRATES = {f"{p}{b}": f / 8 for p, f in _DECIMAL.items() for b in ("bit/s", "bps")}

UNITS: Mapping[str, Mapping[str, float]] = {
    "size": _BYTES,
    "bandwidth": _RATES | _BITRATES,
    "time": {f"{p}s": f for p, f in _SMALL.items()} | {"min": 60.0},
    "frequency": {f"{p}Hz": f for p, f in _DECIMAL.items()},
    "power": {f"{p}W": f for p, f in (_SMALL | {"k": 1e3}).items()},
    "energy": {f"{p}J": f for p, f in _SMALL.items()},
    "width": {"bit": 1 / 8, "bits": 1 / 8, "B": 1.0, "byte": 1.0, "bytes": 1.0},
}
"""Accepted unit spellings of each dimension, with the factor to SI."""

SMALLEST, LARGEST = 1e-30, 1e30
"""No quantity in SI units is smaller or larger; quotients and products of them stay finite."""

EXAMPLES = {
    "size": "512 KiB", "bandwidth": "12.8 GB/s", "time": "35 us", "frequency": "1.2 GHz",
    "power": "2.5 W", "energy": "60 pJ", "width": "128 bit",
}  # fmt: skip
"""One well-written quantity of each dimension, for messages."""

_QUANTITY = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\s\d].*?)?\s*")


def parse_quantity(value: object, dimension: str) -> float:
    """Converts ``value`` such as ``"12.8 GB/s"`` to an SI float.

    ``dimension`` is a key of :data:`UNITS`.

    Raises:
        UnitError: not a number, no unit, a unit of another dimension, infinite or NaN.
    """
    example = f"write it like {EXAMPLES[dimension]!r}"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"{value!r} is not a {dimension}", hint=example)
    if not isinstance(value, str):
        if value == 0:
            return 0.0
        raise UnitError(f"{value!r} has no unit; a {dimension} needs one", hint=example)
    match = _QUANTITY.fullmatch(value)
    if not match:
        raise UnitError(f"{value!r} is not a {dimension}", hint=example)
    number, unit = float(match[1].replace("_", "")), match[2]
    if unit is None:
        if number == 0:
            return 0.0
        raise UnitError(f"{value!r} has no unit; a {dimension} needs one", hint=example)
    factors = UNITS[dimension]
    if unit not in factors:
        other = next((d for d, table in UNITS.items() if unit in table), None)
        what = f"is a unit of {other}" if other else "is not a known unit"
        raise UnitError(
            f"{value!r}: {unit!r} {what}, expected a {dimension}",
            hint=f"{example}; units: {', '.join(factors)}",
        )
    result = number * factors[unit]
    if result and not SMALLEST <= abs(result) <= LARGEST:
        raise UnitError(f"{value!r} is no {dimension} of this world", hint=example)
    return result


_DISPLAY: Mapping[str, tuple[tuple[str, float], ...]] = {
    "size": (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0)),
    "bandwidth": (("GB/s", 1e9), ("MB/s", 1e6), ("KB/s", 1e3), ("B/s", 1.0)),
    "time": (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("ps", 1e-12)),
    "frequency": (("GHz", 1e9), ("MHz", 1e6), ("kHz", 1e3), ("Hz", 1.0)),
    "power": (("W", 1.0), ("mW", 1e-3), ("uW", 1e-6)),
    "energy": (("J", 1.0), ("mJ", 1e-3), ("uJ", 1e-6), ("nJ", 1e-9), ("pJ", 1e-12)),
    "width": (("bit", 1 / 8),),
}


def format_quantity(value: float, dimension: str, digits: int = 4) -> str:
    """Writes an SI float with the largest unit that leaves a number of at least one."""
    table = _DISPLAY[dimension]
    unit, factor = next(((u, f) for u, f in table if abs(value) >= f), table[-1])
    if value == 0:
        unit, factor = table[0]
    return f"{value / factor:.{digits}g} {unit}"


NAMED = ("bandwidth", "size", "time", "frequency", "power", "energy")
"""Dimensions whose unit may end the name of a quantity in a file, as in ``energy_uj``."""

_ENDINGS = {"B": "bytes", "B/s": "bytes_per_s"}


@cache
def endings(dimension: str) -> Mapping[str, tuple[str, float]]:
    """Units of one of :data:`NAMED` as names end with them, as people write them, and in SI.

    The SI unit is the first: ``{"s": ("s", 1.0), "ms": ("ms", 1e-3), "us": ("µs", 1e-6), ...}``.
    """
    table = sorted(_DISPLAY[dimension], key=lambda entry: entry[1] != 1.0)
    return {
        _ENDINGS.get(unit, unit.lower().replace("/", "_per_")): (unit.replace("u", "µ"), factor)
        for unit, factor in table
    }
