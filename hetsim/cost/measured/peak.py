"""Times that nobody can have measured: more arithmetic a second than the unit has.

The usual cause is a wrong unit, which is off by a thousand and so stands out.
"""

from __future__ import annotations

import math

from hetsim.cost.measured.keys import nests_of
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.cost.pu import model_of
from hetsim.errors import ConfigError
from hetsim.soc.model import SoC

_LONGER = ((1e3, "ms"), (1e6, "s"))
"""Units that a number given in microseconds may have been meant in."""


def refuse_impossible(table: ProfileTable, cluster: str, soc: SoC) -> None:
    """Checks a profile of ``cluster`` (an entry of the SoC's ``pus``) against its peak rate.

    The peak is that of the description at full efficiency and its highest clock; of several
    workers, that of the largest.

    Raises:
        ConfigError: an operator would be faster; located, with the unit that would be plausible.
    """
    pu = max((pu for pu in soc.pus if pu.cluster == cluster), key=lambda pu: pu.cores)
    model = model_of(pu)
    broken: list[tuple[Entry, float, int]] = []
    for entry in table.entries.values():
        nests = nests_of(entry.key)
        least = sum(model.least(nest, dtype) for nest, dtype in nests)
        if entry.seconds is not None and _latest(entry, entry.seconds) < least * (1 - 1e-9):
            broken.append((entry, least, sum(nest.macs for nest, _ in nests)))
    if not broken:
        return
    entry, least, macs = broken[0]
    seconds = entry.seconds or 0.0
    fitting = [(factor, unit) for factor, unit in _LONGER if seconds * factor >= least]
    hint = "is the unit right?"
    if fitting:
        factor, unit = fitting[0]
        rate = _rate(macs, seconds * factor)
        hint += f" {seconds * 1e6:.6g} {unit} would be {rate}"
    more = f" ({len(broken) - 1} more entries are too fast)" if len(broken) > 1 else ""
    raise ConfigError(
        f"{entry.key}: {seconds * 1e6:.6g} us are {_rate(macs, seconds)}, more than the peak of"
        f" {cluster}, {_rate(macs, least)}{more}",
        where=entry.where,
        hint=hint,
    )


def _latest(entry: Entry, seconds: float) -> float:
    """The end of the interval that the time stands for: twice the half distance of quartiles."""
    return seconds + 2 * (entry.spread_s or 0.0) if math.isfinite(seconds) else math.inf


def _rate(macs: int, seconds: float) -> str:
    rate = macs / seconds / 1e9
    return f"{rate:.0f} GMAC/s" if rate >= 1000 else f"{rate:.4g} GMAC/s"
