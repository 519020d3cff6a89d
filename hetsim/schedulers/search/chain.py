"""One chain of the search: simulated annealing over genomes, a stretch at a time.

A changed plan is taken when it is no slower than the present one plus an allowance, drawn before
anything is simulated: -T ln u, which accepts by Metropolis' rule (Kirkpatrick, Gelatt and Vecchi,
Science 220, 1983). So a plan whose lower bound is above that is refused without simulation, and
refused alike whether or not anybody computes the bound: pruning saves time and changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from hetsim.schedulers.search.genome import Genome, decode
from hetsim.schedulers.search.judge import NEVER, Draft, Judge
from hetsim.schedulers.search.moves import Moves

_FRUITLESS = 20
"""Proposals per evaluation after which a chain stops when nearly all change nothing."""


@dataclass(slots=True)
class Walker:
    """Where a chain is: its genome with the draft it means and the makespan, and its best."""

    genome: Genome
    draft: Draft
    seconds: float
    best: Genome
    best_seconds: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a chain does between two meetings.

    ``seed`` is that of its random numbers; ``evaluations`` how many changed plans it judges;
    ``hot`` and ``cold`` are temperatures in seconds at its beginning and end.
    """

    seed: str
    evaluations: int
    hot: float
    cold: float


@dataclass(slots=True)
class Journey:
    """How a stretch went: ``improved`` holds (evaluations so far, best makespan) at each gain."""

    walker: Walker
    evaluations: int
    improved: list[tuple[int, float]]


def walk(moves: Moves, judge: Judge, walker: Walker, stretch: Stretch) -> Journey:
    """Goes on from ``walker``, which changes. Depends on nothing else: not on earlier calls."""
    draw = Random(stretch.seed)
    space = moves.space
    improved: list[tuple[int, float]] = []
    done = 0
    cooling = stretch.cold / stretch.hot if stretch.hot > 0.0 else 1.0
    for _ in range(_FRUITLESS * stretch.evaluations):
        if done >= stretch.evaluations:
            break
        genome = moves.propose(draw, walker.genome)
        heat = stretch.hot * cooling ** (done / stretch.evaluations)
        allowed = walker.seconds - heat * math.log(1.0 - draw.random())
        draft = decode(space, genome)
        if draft is None:
            continue
        if draft == walker.draft:  # another way to say the same
            walker.genome = genome
            continue
        done += 1
        verdict = judge.judge(draft, allowed)
        if not verdict.exact or verdict.seconds > allowed or verdict.seconds == NEVER:
            continue
        walker.genome, walker.draft, walker.seconds = genome, draft, verdict.seconds
        if verdict.seconds < walker.best_seconds:
            walker.best, walker.best_seconds = genome, verdict.seconds
            improved.append((done, verdict.seconds))
    return Journey(walker, done, improved)
