"""The search for plans of several streams together, judged by simulating the streams.

It starts from what schedulers make of each network, in every registered way of planning several
(:mod:`hetsim.schedulers.joint`), and from mixed choices: a plan of one scheduler for one stream and
of another for the next. Of those there may be many, so they are raced: all over a fraction of the
horizon, the better half of them over twice that, and so on (successive halving: Jamieson and
Talwalkar, AISTATS 2016), with the same arrivals. The last ones and all that schedulers proposed are
then put together region by region, and annealed (:mod:`hetsim.schedulers.search.search`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from pathlib import Path
from random import Random

from hetsim.analysis.serving.objectives import OBJECTIVES, tally_of
from hetsim.errors import ConfigError, HetsimError, PlanError
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.runs.joint import Together, shortened
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import ALL_STREAMS, Contender, SchedulerRef
from hetsim.schedulers.joint.registry import DEFAULT, JOINT_SCHEDULERS
from hetsim.schedulers.search.campaign import Grounds, begin, best_plan
from hetsim.schedulers.search.judge import NEVER
from hetsim.sim.dispatchers.registry import find_dispatcher
from hetsim.study.point import digest, graph_hash
from hetsim.study.tune.crew import WalkBench
from hetsim.study.tune.rounds import Effort, Rounds
from hetsim.study.tune.search import starts_of, study_digest
from hetsim.study.tune.state import ModelState, Start, TuneState
from hetsim.study.tune.streamresult import Judged

MIXED = 64
"""Mixed choices that are raced, at most; drawn at random where there are more."""

RUNGS = (0.25, 0.5)
"""Shares of the horizon over which they are raced; after each the better half goes on."""

Plans = Mapping[str, Plan]
"""By the name of the stream."""


class StreamSearch(Rounds):
    """A study of one objective under way."""

    def __init__(
        self, scenario: Scenario, objective: str, horizon_s: float | None, effort: Effort,
        path: Path | None, progress: Progress,
    ) -> None:  # fmt: skip
        self.mix = Mix.of(scenario)
        self.objective = OBJECTIVES[objective]
        self.objective.check(self.mix.service, scenario.soc)
        dispatcher = self.mix.service.dispatchers[0]
        if find_dispatcher(dispatcher.name).places:
            raise ConfigError(
                f"dispatcher {dispatcher.name!r} chooses units itself, so no plan matters",
                where=dispatcher.where,
                hint="name one first that keeps to plans, like 'priority'",
            )
        for case in self.mix.cases.values():
            case.check()
        self.horizon_s = horizon_s
        self.together = self._over(1.0)
        document = scenario.document
        asked = {
            "objective": objective,
            "horizon": horizon_s,
            "streams": [document.get(("streams",)), document.get(("serve",))],
            "study": study_digest(
                scenario,
                [[label, graph_hash(case.graph)] for label, case in self.mix.cases.items()],
            ),
        }
        super().__init__(
            (ALL_STREAMS,), scenario.soc.name, scenario.seed, TuneState(digest(asked)),
            effort, path, progress,
        )  # fmt: skip

    def worth(self, value: float) -> str:
        return self.objective.shown(value)

    def _over(self, share: float) -> Together:
        """The streams over a share of the horizon."""
        scenario, service = self.mix.scenario, self.mix.service
        short = shortened(service, self.horizon_s, share)
        mix = replace(self.mix, scenario=replace(scenario, service=short))
        return Together(mix, service.dispatchers[0], self.objective)

    def begin(self, bench: WalkBench, model: int, label: str, grounds: Grounds) -> ModelState:
        starts: list[Start] = []
        known: list[tuple[float, Plans]] = []
        for name, plans in self._proposed():
            if isinstance(plans, HetsimError):
                starts.append(Start(name, None, plans.message))
                continue
            try:
                value = self.together.value(plans).seconds
            except HetsimError as error:
                starts.append(Start(name, None, error.message))
                continue
            starts.append(Start(name, value))
            known.append((value, plans))
        if not known:
            reasons = "; ".join(f"{s.scheduler}: {s.error}" for s in starts)
            raise PlanError(f"no scheduler finds plans for all streams: {reasons}")
        best = min(known, key=lambda entry: entry[0])[1]
        join = self.together.union.join
        joined = [join(plans, "tune") for _, plans in known]
        joined += [join(plans, "tune") for plans in self._raced([plans for _, plans in known])]
        campaign = begin(grounds, joined, self.effort.evaluations)
        return ModelState(tuple(starts), join(best, "tune"), campaign)

    def _proposed(self) -> Iterator[tuple[str, Plans | HetsimError]]:
        """What schedulers propose: built-in ones alone, those of the scenario in every way."""
        scenario, service = self.mix.scenario, self.mix.service
        dispatcher = service.dispatchers[0]
        anybody = tuple(replace(stream, scheduler=None) for stream in service.streams)
        free = replace(scenario, service=replace(service, streams=anybody))
        alone = replace(self.mix, scenario=free)
        where = scenario.where()
        for label, name, given in starts_of(scenario):
            ref = SchedulerRef(name, label, given, where)
            yield label, _planned(alone, Contender(label, ref, dispatcher))
        own = any(stream.scheduler for stream in service.streams)
        for way in JOINT_SCHEDULERS.names():
            asks = JOINT_SCHEDULERS.find(way).asks
            for ref in scenario.schedulers if asks else scenario.schedulers[:1]:
                if way != DEFAULT or own:
                    label = f"{ref.label} · {way}" if asks else way
                    yield label, _planned(self.mix, Contender(label, ref, dispatcher, way))

    def _raced(self, proposed: Sequence[Plans]) -> list[Plans]:
        """The best of the mixed choices among plans that were proposed."""
        parts = list(self.together.union.graphs)
        if len(parts) < 2:
            return []
        choices = [list({_key(plans[part]): plans[part] for plans in proposed}.values())
                   for part in parts]  # fmt: skip
        if prod(map(len, choices)) <= MIXED:
            several = [list(chosen) for chosen in product(*choices)]
        else:
            draw = Random(f"{self.seed}/mixed")
            several = [[draw.choice(plans) for plans in choices] for _ in range(MIXED)]
        left: list[Plans] = [dict(zip(parts, chosen, strict=True)) for chosen in several]
        for share in RUNGS:
            left = _better_half(self._over(share), left)
        return left

    def found(self, grounds: Grounds) -> tuple[Plans, Plans]:
        """The best start, and the tuned plans, which are no worse by the judge."""
        state = self.state.models[ALL_STREAMS]
        split = self.together.union.split
        start = split(state.best_start)
        best = split(best_plan(grounds, state.campaign, "tune"))
        values = [self.together.value(plans).seconds for plans in (start, best)]
        return start, best if values[1] <= values[0] else start

    def judged_again(self, plans: Plans, *, fresh: bool) -> Judged:
        """Over the horizon of the search, or ``fresh``: as long as the scenario says, other seed.

        Raises:
            HetsimError: plans that cannot run.
        """
        mix = self.together.mix
        if fresh:
            mix = replace(self.mix, scenario=replace(self.mix.scenario, seed=self.seed + 1))
        streams = mix.service.streams
        served = mix.serve({**mix.given, **plans}, self.together.dispatcher)
        tally = tally_of(mix.scenario.soc, streams, served, self.together.alone_s)
        least = self.together.least(tally, plans)
        return Judged(
            tally,
            {name: found.of(tally) for name, found in OBJECTIVES.items()},
            {name: found.of(least) for name, found in OBJECTIVES.items()},
        )


def _planned(mix: Mix, contender: Contender) -> Plans | HetsimError:
    try:
        plans = mix.plans(contender)
    except HetsimError as error:
        return error
    return {name: plan for name, plan in plans.items() if name not in mix.given}


def _better_half(together: Together, several: Sequence[Plans]) -> list[Plans]:
    """Half of ``several``, the first of equals."""
    values = []
    for plans in several:
        try:
            values.append(together.value(plans).seconds)
        except HetsimError:
            values.append(NEVER)
    order = sorted(range(len(several)), key=values.__getitem__)
    return [several[i] for i in islice(order, (len(several) + 1) // 2) if values[i] < NEVER]


def _key(plan: Plan) -> tuple[object, ...]:
    """What makes two plans of a network the same."""
    return tuple((p.pu, p.operators, p.fuse) for p in plan.partitions), plan.rewrites
