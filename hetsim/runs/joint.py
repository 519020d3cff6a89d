"""Plans of all streams of a scenario, judged together by simulating the streams.

Every judgement is of the same arrivals (common random numbers), so two plans differ by what they
do and not by luck. A plan that is certain to be worse than allowed is given up while its streams
are still running: an objective's value never falls (:mod:`hetsim.analysis.serving.objectives`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from hetsim.analysis.serving.objectives import Objective, Tally, mean_deadline, tally_of
from hetsim.bounds.makespan import Table, area_bound
from hetsim.bounds.simulated import least_seconds
from hetsim.bounds.throughput import most_of_any_plan
from hetsim.errors import HetsimError
from hetsim.plan.model import Plan
from hetsim.plan.union import Union
from hetsim.runs.serving import Mix
from hetsim.schedulers.search.campaign import Ground, Rewrites
from hetsim.schedulers.search.judge import NEVER, Draft, Verdict, plan_of
from hetsim.schedulers.search.several import SeveralSpace
from hetsim.sim.serving.sample import Onlooker
from hetsim.sim.source import Completion
from hetsim.streams.service import DispatcherRef, Service, Stream
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import apply_rewrites

INFERENCES = 60
"""Inferences that a plan is judged by, at least, where the streams have as many."""

OF_EACH = 6
"""And of each stream."""


_Plans = Callable[[Draft], Mapping[str, Plan]]


class _EnoughError(Exception):
    """A simulation need not go on: the objective will be ``value`` or more."""

    def __init__(self, value: float) -> None:
        super().__init__(value)  # the engine makes it anew from its arguments
        self.value = value


@dataclass(frozen=True)
class Together:
    """Streams that are planned together for one objective, under one dispatcher.

    ``mix`` says how long they are simulated; :func:`shortened` makes one for judging many plans.
    """

    mix: Mix
    dispatcher: DispatcherRef
    objective: Objective

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All of them, those with a plan of their own as well."""
        return self.mix.service.streams

    @cached_property
    def union(self) -> Union:
        """The networks that want a plan, by the name of the stream."""
        return Union(
            {
                stream.name: self.mix.cases[stream.model].graph
                for stream in self.streams
                if stream.name not in self.mix.given
            }
        )

    @cached_property
    def alone_s(self) -> tuple[float, ...]:
        """The proven lower bound on one inference of the network as it is, by stream."""
        return tuple(
            max(bound.seconds for bound in self.mix.cases[stream.model].bounds)
            for stream in self.streams
        )

    @cached_property
    def _grounds(self) -> dict[Rewrites, Ground]:
        return {}

    def ground(self, rewrites: Rewrites) -> Ground:
        """Where plans of the union are searched, after rewrites of the union."""
        if rewrites not in self._grounds:
            self._grounds[rewrites] = self._made(rewrites)
        return self._grounds[rewrites]

    def _made(self, rewrites: Rewrites) -> Ground:
        own = self.union.rewrites(rewrites)
        graphs = {
            part: self.mix.cases[self.mix.service.stream(part).model].rewritten(own[part]).graph
            for part in self.union.graphs
        }
        whole = apply_rewrites(self.union.graph, rewrites)
        space = SeveralSpace(whole, list(graphs.values()), self.mix.scenario.soc)

        def plans(draft: Draft) -> dict[str, Plan]:
            shares = zip(graphs.items(), space.apart(draft), strict=True)
            soc = self.mix.scenario.soc
            return {part: plan_of(g, soc, d, "tune", own[part]) for (part, g), d in shares}

        return Ground(space, _Judge(self, plans))

    def value(self, plans: Mapping[str, Plan], worthless_above: float = NEVER) -> Verdict:
        """The objective of ``plans``; a lower bound may do where that is above what is asked.

        Raises:
            HetsimError: plans that cannot run.
        """
        counts = self._arrived
        race = _Race(self, counts, worthless_above) if counts else None
        try:
            served = self.mix.serve({**self.mix.given, **plans}, self.dispatcher, race)
        except _EnoughError as lost:
            return Verdict(lost.value, exact=False)
        tally = tally_of(self.mix.scenario.soc, self.streams, served, self.alone_s)
        if not counts and all(not s.arrivals.follows(s.name) for s in self.streams):
            counts += tally.arrived
        return Verdict(self.objective.of(tally))

    def least(self, tally: Tally, plans: Mapping[str, Plan]) -> Tally:
        """What no plans go below where as many arrive as in ``tally``.

        Every inference takes as long as if it were alone, and all of them together what
        :func:`~hetsim.bounds.throughput.most_of_any_plan` says. Plans may leave networks alone or
        rewrite them as ``plans`` do. Nothing is said of energy, nor where inferences were given up.
        """
        every = {**self.mix.given, **plans}
        cases = [self.mix.cases[stream.model] for stream in self.streams]
        alone: list[float] = []
        networks: dict[str, tuple[Graph, Table]] = {}
        for stream, case in zip(self.streams, cases, strict=True):
            plan = every[stream.name]
            alone.append(max(bound.seconds for bound in case.bounds_beside(plan)))
            choices = ((c.graph, least_seconds(c.floors))
                       for c in (case, case.rewritten(plan.rewrites)))  # fmt: skip
            networks[stream.name] = min(choices, key=lambda choice: area_bound(choice[1]))
        if tally.done < sum(tally.arrived):
            return replace(tally, latencies_s=[0.0] * len(alone), misses=0, end_s=0.0, energy_j=0.0)
        counts = list(zip(self.streams, tally.arrived, alone, strict=True))
        arrived = {s.name: float(count) for s, count, _ in counts}
        limit = most_of_any_plan(self.mix.scenario.soc, networks, arrived)
        return replace(
            tally,
            latencies_s=[count * seconds for _, count, seconds in counts],
            misses=sum(count for s, count, seconds in counts if seconds > s.deadline_s),
            end_s=0.0 if limit is None else sum(tally.arrived) / limit.per_second,
            energy_j=0.0,
        )

    @cached_property
    def _arrived(self) -> list[int]:
        """Arrivals by stream, known after the first simulation where plans do not change them."""
        return []


class _Judge:
    """Judges drafts of the union; remembers every value that is exact."""

    def __init__(self, together: Together, plans: _Plans) -> None:
        self._together = together
        self._plans = plans
        self._known: dict[Draft, Verdict] = {}

    def judge(self, draft: Draft, worthless_above: float = NEVER) -> Verdict:
        """The objective's value where a judge of single networks says the makespan."""
        found = self._known.get(draft)
        if found is None:
            try:
                found = self._together.value(self._plans(draft), worthless_above)
            except HetsimError:
                found = Verdict(NEVER)
            if found.exact:
                self._known[draft] = found
        return found


class _Race(Onlooker):
    """Keeps a tally, and ends a simulation that is certain to be worse than allowed.

    What was given up is not counted before the end, nor is energy.
    """

    def __init__(self, together: Together, arrived: Sequence[int], worthless_above: float) -> None:
        self._streams = together.streams
        self._objective = together.objective
        self._worthless_above = worthless_above
        self._sums = [0.0] * len(self._streams)
        self._misses = 0
        self._fixed = arrived, sum(arrived), together.alone_s, mean_deadline(self._streams)

    def ended(self, done: Completion) -> None:
        stream = done.inference.stream
        self._sums[stream] += done.latency
        self._misses += done.latency > self._streams[stream].deadline_s
        arrived, total, alone_s, deadline_s = self._fixed
        tally = Tally(arrived, self._sums, self._misses, total, done.finish, alone_s, deadline_s)
        value = self._objective.of(tally)
        if value > self._worthless_above:
            raise _EnoughError(value)


def shortened(service: Service, horizon_s: float | None = None, share: float = 1.0) -> Service:
    """``service`` over ``horizon_s``, or as long as judging a plan takes; a ``share`` of that.

    By itself that is until :data:`INFERENCES` have arrived, :data:`OF_EACH` of every stream.
    Closed loops, which arrive as fast as they are served, stop after so many.
    """
    rates = service.rates()
    known = [rate for rate in rates.values() if rate]
    if horizon_s is None:
        begin = max(stream.start_s for stream in service.streams)
        longest = max(INFERENCES / sum(known), OF_EACH / min(known)) if known else inf
        horizon_s = begin + longest
    most = max(round(share * INFERENCES / len(rates)), OF_EACH)

    def bounded(stream: Stream) -> Stream:
        if rates[stream.name] is not None:
            return stream
        return replace(stream, count=min(most, stream.count or most))

    return replace(
        service,
        duration_s=min(service.duration_s, share * horizon_s),
        streams=tuple(bounded(stream) for stream in service.streams),
    )
