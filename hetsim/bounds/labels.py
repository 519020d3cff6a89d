"""Which labels the operators of a window may have, and what is decided of them.

An operator's *label* says in which part of its window it is, and on which PU: see
:mod:`hetsim.bounds.program`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hetsim.bounds.floors import Floors
from hetsim.bounds.rows import Rows
from hetsim.bounds.stages import Stage
from hetsim.numeric import Array

FIRST, MIDDLE, LAST = 0, 1, 2
"""The parts of a window."""

Label = tuple[int, int]
"""A part and a PU."""

Split = tuple[list[int], list[int]]
"""Variables that are zero in the one half, and those that are in the other."""

WHOLE = 1e-6
"""How far from zero and one a share may be and count as decided."""


class Labels:
    """The labels of a stage's operators, and a variable of ``rows`` for the share of each.

    ``of``: the labels that an operator may have; ``share[op, label]``: its variable. Operators
    before the stage whose results it reads have a share, too: they are over when it begins.
    """

    def __init__(self, floors: Floors, stage: Stage, rows: Rows) -> None:
        self._floors = floors
        self._stage = stage
        self._known = set(stage.before)
        self.of = {op: tuple(self._able(op)) for op in (*stage.before, *stage.ops)}
        self.share: dict[tuple[int, Label], int] = {}
        for op, labels in self.of.items():
            for label in labels:
                self.share[op, label] = rows.variable()
            rows.exactly({self.share[op, label]: 1.0 for label in labels}, 1.0)

    def _able(self, op: int) -> Iterator[Label]:
        stage, feasible = self._stage, self._floors.feasible
        able = feasible(op)
        if op in self._known:
            yield from ((FIRST, pu) for pu in able)
            return
        firsts = () if stage.cut is None else feasible(stage.cut)
        lasts = feasible(stage.ops[-1]) if stage.closes else ()
        parts: tuple[int, ...] = (FIRST, MIDDLE, LAST)
        if stage.closes and op == stage.ops[-1]:
            parts = (FIRST, LAST) if stage.last else (LAST,)
        for part in parts:
            for pu in able:
                if part == MIDDLE or pu in (firsts if part == FIRST else lasts):
                    yield part, pu

    def decided(self, entry: Mapping[int, int], leave: Mapping[int, int]) -> dict[int, float]:
        """The shares that follow from the PUs of operators read across the stage's ends."""
        stage = self._stage
        first = None if stage.cut is None else entry[stage.cut]
        last = None if stage.last else leave[stage.ops[-1]]
        fixed = {}
        for (op, (part, pu)), share in self.share.items():
            if op in self._known:
                fixed[share] = float(pu == entry[op])
            elif (
                (part == FIRST and pu != first)
                or (part == LAST and not stage.last and pu != last)
                or leave.get(op, pu) != pu
            ):
                fixed[share] = 0.0
        return fixed

    def split(self, values: Array) -> Split | None:
        """Shares to rule out on the one hand and on the other, so that more is decided.

        The PU before the part, of the operator that takes longest; ``None``: all is decided.
        """
        best, weight = None, 0.0
        for by_pu in (True, False):
            for op in self._stage.ops:
                groups: dict[int, list[int]] = {}
                for part, pu in self.of[op]:
                    key = pu if by_pu else part
                    groups.setdefault(key, []).append(self.share[op, (part, pu)])
                held = {key: sum(float(values[v]) for v in vs) for key, vs in groups.items()}
                most = max(held, key=lambda key: held[key])
                doubt = 1.0 - held[most]
                if doubt > WHOLE and doubt * self._weight(op) > weight:
                    others = [v for key, vs in groups.items() if key != most for v in vs]
                    best, weight = (groups[most], others), doubt * self._weight(op)
            if best is not None:
                return best
        return None

    def _weight(self, op: int) -> float:
        """Seconds that may hang on where ``op`` runs."""
        return max(min(least.alone for least in self._floors.ops[op]), 1e-12)
