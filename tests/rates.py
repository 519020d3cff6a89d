"""A SoC with every rate multiplied: clocks and bandwidths times k, latencies divided by it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec

_FASTER = re.compile(r"([\d.eE+-]+)\s*([kKMGT]?i?(?:B/s|bit/s|bps|Hz))")
_SHORTER = re.compile(r"([\d.eE+-]+)\s*([pnuµm]?s|min)")


def faster(spec: Any, k: int) -> Any:
    """The description ``spec`` of a SoC, its quantities read as the decimals people wrote."""
    if isinstance(spec, dict):
        return {key: faster(value, k) for key, value in spec.items()}
    if isinstance(spec, list):
        return [faster(value, k) for value in spec]
    if isinstance(spec, str):
        for pattern, factor in ((_FASTER, Fraction(k)), (_SHORTER, Fraction(1, k))):
            if match := pattern.fullmatch(spec):
                return f"{float(Fraction(match[1]) * factor)!r} {match[2]}"
    return spec


def faster_soc(spec: Any, k: int) -> SoC:
    """The SoC of ``spec`` in which everything happens k times as fast."""
    return SoC.from_spec(SoCSpec.model_validate(faster(spec, k)))
