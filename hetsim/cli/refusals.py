"""Why a unit refuses operators, in lines: for ``hetsim delegate`` and ``hetsim model``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hetsim.runs.support import Support

SHOWN = 8
"""Reasons told before the rest is only counted."""


def refusals(support: Support) -> Iterator[str]:
    """The reasons, most frequent first, with the operators that each is about."""
    listed = sorted(support.reasons.items(), key=lambda item: -sum(item[1].values()))
    for reason, kinds in listed[:SHOWN]:
        words = ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in kinds.items())
        yield f"  {words}: {reason}"
    if len(listed) > SHOWN:
        rest = sum(sum(kinds.values()) for _, kinds in listed[SHOWN:])
        yield f"  and {rest} operators for {len(listed) - SHOWN} more reasons (all with --json)"
