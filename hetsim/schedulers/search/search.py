"""The search: rounds of annealed regions, starting from other schedulers' plans.

First the given plans are put together: region by region, whatever is best in any of them
(:func:`start`). Then come rounds. In each, :data:`SEARCHERS` chains (:mod:`.chain`) start from the
best plan so far, each in a region of its own (:mod:`.regions`), and the gains are put together.
What a round does depends on its number, the seed and the best plan, on nothing else. So the chains
may run anywhere and in any order, a search that was stopped goes on as if nothing had happened, and
a short search is the beginning of a long one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hetsim.errors import PlanError
from hetsim.schedulers.search.chain import Journey, Stretch, Walker, walk
from hetsim.schedulers.search.genome import Genome, decode, encode
from hetsim.schedulers.search.judge import NEVER, Draft, Judge
from hetsim.schedulers.search.moves import Moves
from hetsim.schedulers.search.regions import Region, blocks, draw_regions
from hetsim.schedulers.search.space import Space

SEARCHERS = 4
"""Chains in a round, however many workers there are."""

STRETCH = 400
"""Plans that a chain judges in a round."""

_COOLING = 0.01
"""Last temperature of a chain, as a share of its first."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one chain shall do: where it starts, which region it changes, and how."""

    genome: Genome
    seconds: float
    region: Region
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best genome a chain has found, its makespan, and how many plans it judged."""

    genome: Genome
    seconds: float
    evaluations: int
    region: Region


@dataclass(frozen=True, slots=True)
class SearchState:
    """Everything a search needs to go on: plain data.

    ``rounds`` are done, which judged ``evaluations`` plans; ``best`` has makespan ``seconds`` by
    the judge. ``curve`` holds (evaluations, best makespan so far) at the start and at each gain.
    ``initial_s`` is the best of the plans given. ``exhausted``: there was nothing to try.
    """

    best: Genome
    seconds: float
    initial_s: float
    evaluations: int = 0
    rounds: int = 0
    curve: tuple[tuple[int, float], ...] = field(default=())
    exhausted: bool = False


def start(space: Space, judge: Judge, drafts: Sequence[Draft], budget: int) -> SearchState:
    """The best of ``drafts``, improved by the best regions of the others.

    Judges all of ``drafts`` even if the budget is smaller, so that none is better than the result.

    Raises:
        PlanError: none of ``drafts`` can run.
    """
    known: list[tuple[float, Genome]] = []
    for draft in dict.fromkeys(drafts):
        known.append((judge.judge(draft).seconds, encode(draft, len(space.graph))))
    known.sort(key=lambda entry: entry[0])
    if not known or known[0][0] == NEVER:
        raise PlanError("none of the plans to start from can run")
    seconds, best = known[0]
    state = SearchState(best, seconds, seconds, len(known), 0, ((len(known), seconds),))
    for region in blocks(space):
        for _, donor in known[1:]:
            if state.evaluations >= budget:
                return state
            state = _transplant(space, judge, state, donor, region)
    return state


def plan_round(space: Space, state: SearchState, seed: str, budget: int) -> list[Task]:
    """The tasks of the next round; none when the budget is used up, or nothing can be changed."""
    if state.exhausted:
        return []
    draw = Random(f"{seed}/{state.rounds}")
    left = budget - state.evaluations
    # Each chain's gain is judged once more when it is put together with the others'.
    regions = draw_regions(space, draw, min(SEARCHERS, left // 2))
    share = [(end - begin) / len(space.graph) for begin, end in regions]
    return [
        Task(
            state.best,
            state.seconds,
            region,
            Stretch(
                f"{seed}/{state.rounds}/{i}",
                min(STRETCH, left // len(regions) - 1),
                hot := draw.choice(space.heats) * state.seconds * share[i],
                hot * _COOLING,
            ),
        )
        for i, region in enumerate(regions)
    ]


def perform(space: Space, judge: Judge, task: Task) -> Outcome:
    """Carries out one task."""
    draft = decode(space, task.genome)
    assert draft is not None, "a search keeps only what can run"
    moves = Moves(space, *task.region)
    walker = Walker(task.genome, draft, task.seconds, task.genome, task.seconds)
    journey: Journey = walk(moves, judge, walker, task.stretch)
    return Outcome(
        journey.walker.best, journey.walker.best_seconds, journey.evaluations, task.region
    )


def finish_round(
    space: Space, judge: Judge, state: SearchState, outcomes: Iterable[Outcome]
) -> SearchState:
    """The state after a round: every gain of ``outcomes``, in their order, that holds together."""
    before = state
    for outcome in outcomes:
        state = replace(state, evaluations=state.evaluations + outcome.evaluations)
        if outcome.seconds < before.seconds:
            state = _transplant(space, judge, state, outcome.genome, outcome.region)
    exhausted = state.evaluations == before.evaluations
    return replace(state, rounds=state.rounds + 1, exhausted=exhausted)


def _transplant(
    space: Space, judge: Judge, state: SearchState, donor: Genome, region: Region
) -> SearchState:
    """``state`` with ``region`` as in ``donor`` if that is faster."""
    child = state.best.spliced(donor, *region)
    draft = decode(space, child)
    if draft is None or draft == decode(space, state.best):
        return state
    verdict = judge.judge(draft, state.seconds)
    count = state.evaluations + 1
    if not verdict.exact or verdict.seconds >= state.seconds:
        return replace(state, evaluations=count)
    curve = (*state.curve, (count, verdict.seconds))
    return replace(state, best=child, seconds=verdict.seconds, evaluations=count, curve=curve)
