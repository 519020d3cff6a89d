"""Upward ranks: how much of an inference is left behind each of its partitions."""

from __future__ import annotations

from itertools import permutations

from hetsim.lower.program import Program
from hetsim.sim.expected import Expected


class UpwardRanks:
    """Of programs with choices; worked out once for each.

    The rank of a partition is its time, averaged over the units that can run it, and the costliest
    way from there to the end: for each edge what handing over costs, averaged over all pairs of
    different units that can run its ends. Topcuoglu, Hariri, Wu, IEEE TPDS 13(3) 2002, section 3.
    """

    def __init__(self, expected: Expected, *, handover: bool = True) -> None:
        self._expected = expected
        self._handover = handover
        self._known: dict[int, tuple[Program, tuple[float, ...]]] = {}

    def of(self, program: Program, position: int) -> float:
        """Seconds."""
        found = self._known.get(id(program))
        if found is None:
            found = self._known[id(program)] = program, tuple(self._ranks(program))
        return found[1][position]

    def _ranks(self, program: Program) -> list[float]:
        ranks = [0.0] * len(program.jobs)
        for i in reversed(range(len(program.jobs))):
            ranks[i] += self._mean_time(program, i)
            needs = program.jobs[i].needs
            for k, need in enumerate(needs):
                over = self._mean_handover(program, i, k) if self._handover else 0.0
                ranks[need] = max(ranks[need], ranks[i] + over)
        return ranks

    def _mean_time(self, program: Program, i: int) -> float:
        choices, needs = program.choices, program.jobs[i].needs
        assert choices is not None
        units = choices.units(i)
        times = [
            self._expected.launches(u, choices.job(i, u, [u] * len(needs)).launches) for u in units
        ]
        return sum(times) / len(times)

    def _mean_handover(self, program: Program, i: int, k: int) -> float:
        """What partition ``i`` does to get what its ``k``-th need left on another unit."""
        choices, needs = program.choices, program.jobs[i].needs
        assert choices is not None
        units = sorted({*choices.units(i), *choices.units(needs[k])})
        pairs = [(a, b) for a, b in permutations(units, 2) if b in choices.units(i)]
        if not pairs:
            return 0.0
        total = 0.0
        for source, target in pairs:
            homes = [target] * len(needs)
            homes[k] = source
            total += self._expected.steps(choices.job(i, target, homes).entry)
        return total / len(pairs)
