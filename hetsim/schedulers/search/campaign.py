"""A search over several networks that compute the same.

Some schedulers rewrite the network (they merge convolutions, say), and plans of different networks
cannot be mixed. So there is one search (:mod:`.search`) for the network as it is and one for the
most promising rewritten network. Most rounds go to the search that is ahead, the others get one in
:data:`_FAIR` in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hetsim.errors import PlanError
from hetsim.plan.model import Plan
from hetsim.schedulers.search.genome import decode
from hetsim.schedulers.search.judge import Draft, Judge, draft_of, plan_of
from hetsim.schedulers.search.search import (
    Outcome,
    SearchState,
    Task,
    finish_round,
    perform,
    plan_round,
    start,
)
from hetsim.schedulers.search.space import Space
from hetsim.workload.rewrite import Rewrite

_MOST = 2
"""Networks that are searched at most."""

_FAIR = 4
"""Every so many rounds the next search in turn gets one, ahead or not."""

Rewrites = tuple[Rewrite, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one network's plans are searched: its space, and who judges."""

    space: Space
    judge: Judge


Grounds = Callable[[Rewrites], Ground]
"""The ground of the network after rewrites; the same object each time."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """All searches: plain data, enough to go on.

    ``curve`` holds (plans judged, least makespan so far in seconds) at the start and at each gain;
    ``spent`` are plans judged for networks that are not searched on.
    """

    rewrites: tuple[Rewrites, ...]
    searches: tuple[SearchState, ...]
    curve: tuple[tuple[int, float], ...] = ()
    spent: int = 0

    @property
    def rounds(self) -> int:
        """Rounds done."""
        return sum(search.rounds for search in self.searches)

    @property
    def evaluations(self) -> int:
        """Plans judged."""
        return self.spent + sum(search.evaluations for search in self.searches)

    @property
    def leader(self) -> int:
        """The search that is ahead; the first of equals."""
        return min(range(len(self.searches)), key=lambda i: self.searches[i].seconds)

    @property
    def seconds(self) -> float:
        """The least makespan found."""
        return self.searches[self.leader].seconds

    @property
    def following(self) -> int:
        """The search that gets the next round."""
        turn, rest = divmod(self.rounds, _FAIR)
        return turn % len(self.searches) if rest == _FAIR - 1 else self.leader


def begin(grounds: Grounds, plans: Iterable[Plan], budget: int) -> Campaign:
    """Starts from ``plans``, which must be valid; all are judged even if the budget is smaller.

    Raises:
        PlanError: none of them can run.
    """
    drafts: dict[Rewrites, list[Draft]] = {(): []}
    for plan in plans:
        space = grounds(plan.rewrites).space
        drafts.setdefault(plan.rewrites, []).append(draft_of(space.graph, space.soc, plan))
    found: list[tuple[Rewrites, SearchState]] = []
    curve: tuple[tuple[int, float], ...] = ()
    judged = 0
    for rewrites, several in drafts.items():
        ground = grounds(rewrites)
        try:
            state = start(ground.space, ground.judge, several, budget - judged)
        except PlanError:
            continue
        curve = _longer(curve, judged, state.curve)
        judged += state.evaluations
        found.append((rewrites, state))
    if not found:
        raise PlanError("none of the plans to start from can run")
    found.sort(key=lambda entry: entry[1].seconds)  # stable: the network as it is wins ties
    chosen = found[:_MOST]
    spent = judged - sum(state.evaluations for _, state in chosen)
    return Campaign(tuple(c[0] for c in chosen), tuple(c[1] for c in chosen), curve, spent)


def _longer(
    curve: tuple[tuple[int, float], ...], offset: int, gains: Iterable[tuple[int, float]]
) -> tuple[tuple[int, float], ...]:
    """``curve`` with those of ``gains`` that are gains, ``offset`` evaluations later."""
    for count, seconds in gains:
        if not curve or seconds < curve[-1][1]:
            curve = (*curve, (offset + count, seconds))
    return curve


def round_tasks(grounds: Grounds, campaign: Campaign, seed: int, budget: int) -> list[Task]:
    """The tasks of the next round, for search ``campaign.following``; none at the end."""
    i = campaign.following
    state = campaign.searches[i]
    others = campaign.evaluations - state.evaluations
    space = grounds(campaign.rewrites[i]).space
    return plan_round(space, state, f"{seed}/{i}", budget - others)


def round_done(grounds: Grounds, campaign: Campaign, outcomes: Iterable[Outcome]) -> Campaign:
    """The campaign after those tasks."""
    i = campaign.following
    ground = grounds(campaign.rewrites[i])
    before = campaign.searches[i]
    state = finish_round(ground.space, ground.judge, before, outcomes)
    searches = (*campaign.searches[:i], state, *campaign.searches[i + 1 :])
    others = campaign.evaluations - before.evaluations
    curve = _longer(campaign.curve, others, state.curve[len(before.curve) :])
    return replace(campaign, searches=searches, curve=curve)


def run(grounds: Grounds, campaign: Campaign, seed: int, budget: int) -> Campaign:
    """Rounds until ``budget`` plans have been judged, all in this process."""
    while tasks := round_tasks(grounds, campaign, seed, budget):
        ground = grounds(campaign.rewrites[campaign.following])
        outcomes = [perform(ground.space, ground.judge, task) for task in tasks]
        campaign = round_done(grounds, campaign, outcomes)
    return campaign


def best_plan(grounds: Grounds, campaign: Campaign, scheduler: str) -> Plan:
    """The best plan found, with its network's rewrites."""
    rewrites = campaign.rewrites[campaign.leader]
    space = grounds(rewrites).space
    draft = decode(space, campaign.searches[campaign.leader].best)
    assert draft is not None, "a search keeps only what can run"
    return plan_of(space.graph, space.soc, draft, scheduler, rewrites)
