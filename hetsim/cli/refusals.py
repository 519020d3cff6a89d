"""Why a unit refuses operators, as a table: for ``hetsim delegate`` and ``hetsim model``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hetsim.study.result import Rows

if TYPE_CHECKING:
    from hetsim.runs.support import Support

SHOWN = 8
"""Reasons told before the rest is only counted."""

_NUMBERED = re.compile(r"(\d+) (.+)")
"""A reason that begins with what the operator has: one reason, whatever the number."""


def refusals(support: Support) -> Rows:
    """The reasons, most frequent first, with the operators that each is about."""
    kinds: dict[str, Counter[str]] = {}
    numbers: dict[str, set[int]] = {}
    for reason, counted in support.reasons.items():
        numbered = _NUMBERED.fullmatch(reason)
        told = numbered[2] if numbered else reason
        kinds.setdefault(told, Counter()).update(counted)
        if numbered:
            numbers.setdefault(told, set()).add(int(numbered[1]))
    listed = sorted(kinds, key=lambda told: -kinds[told].total())
    rows = [
        (counted_kinds(kinds[told]), _range(numbers.get(told, set())) + told)
        for told in listed[:SHOWN]
    ]
    if len(listed) > SHOWN:
        rest = sum(kinds[told].total() for told in listed[SHOWN:])
        rows.append((f"{rest} more", f"for {len(listed) - SHOWN} other reasons (all with --json)"))
    return Rows((f"{support.pu.name} refuses", "because"), rows, left=2)


def counted_kinds(kinds: Mapping[str, int]) -> str:
    """Operators by kind, like ``2 Conv, Softmax``."""
    return ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in kinds.items())


def _range(numbers: set[int]) -> str:
    if not numbers:
        return ""
    least, most = min(numbers), max(numbers)
    return f"{least} " if least == most else f"{least} to {most} "
