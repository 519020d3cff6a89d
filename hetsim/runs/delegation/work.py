"""What a delegating runtime should offload of a network, part by part, and why.

The parts are the subsets that such a runtime would hand to each accelerator if it delegated all it
can (:mod:`hetsim.schedulers.delegate.subsets`). Each is tried alone and within the best choice
found; gains are differences of simulated makespans. Beside them stand the default rules, the best
plan of any kind that is known, and the bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from hetsim.cost.profile import Profile
from hetsim.errors import ConfigError, HetsimError
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.runs.case import Case
from hetsim.runs.delegation.answer import Candidate, Delegation, Option, Part
from hetsim.runs.delegation.verdict import verdict
from hetsim.runs.support import Support, support_of
from hetsim.schedulers.delegate.subsets import Delegating, Placement
from hetsim.schedulers.registry import create
from hetsim.schedulers.simple.preference import CPU

LITERT_LIMITS = (1, 3)
"""Subsets that LiteRT's delegates keep by default: the GPU's, and NNAPI's."""

TWO_OR_MORE = 2
"""The least size of a subset by default for LiteRT's Core ML delegate."""


def delegation(
    case: Case, *, evaluations: int, tuning: int, progress: Progress | None = None
) -> Delegation:
    """Works out what to delegate; deterministic.

    ``evaluations`` bound the search for the choice, ``tuning`` that for the best plan: with
    none, the advice stands for it.

    Raises:
        ConfigError: the SoC has no accelerator.
        HetsimError: the network does not fit the SoC, or some operator no PU.
    """

    def tell(what: str, done: int) -> None:
        if progress is not None:
            progress(f"{case.graph.name} · {what}", done, 4)

    case.check()
    work = _Work(case)
    if not work.ground.accelerators:
        raise ConfigError(
            f"SoC {case.soc.name!r} has no accelerator: there is nobody to delegate to",
            hint="'hetsim list socs' shows the units of each",
        )
    tell("the default rules", 0)
    rules = tuple(work.option(*rule) for rule in work.rules())
    tell("what to delegate", 1)
    advice = work.option("advice", "delegate_tuned", {"evaluations": evaluations})
    names = [case.soc.pus[pu].name for pu in work.ground.accelerators]
    single = tuple(
        work.option(
            f"advice for {name} only",
            "delegate_tuned",
            {"evaluations": evaluations, "accelerator": name},
        )
        for name in (names if len(names) > 1 else ())
    )
    tell("the best plan", 2)
    best = work.best(advice, tuning)
    tell("part by part", 3)
    candidates = tuple(work.candidates(advice))
    bound = max(case.bounds_beside(best.plan), key=lambda b: b.seconds)
    tell("done", 4)
    host = case.soc.pus[max(set(work.ground.host), key=work.ground.host.count)].name
    return Delegation(
        case, host, rules, single, advice, best, bound, candidates, tuple(work.parts(advice)),
        tuple(work.support(pu) for pu in work.ground.accelerators),
    )  # fmt: skip


class _Work:
    """Everything looked up for one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.problem = case.problem()
        self.profile: Profile = self.problem.profile
        self.ground = Delegating(self.problem)

    def option(self, label: str, scheduler: str, parameters: dict[str, object]) -> Option:
        """A scheduler's plan, simulated."""
        return self._option(label, self.case.plan(create(scheduler, parameters)))

    def _option(self, label: str, plan: Plan) -> Option:
        soc = self.case.soc
        there = [p for p in plan.partitions if soc.by_name[p.pu].spec.role != CPU]
        seconds = self.case.simulate(plan, trace=False).makespan_s
        return Option(label, plan, seconds, len(there), sum(len(p.operators) for p in there))

    def rules(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Label, scheduler and parameters of each default rule."""
        yield "nothing", "cpu_only", {}
        ground = self.ground
        for pu in ground.accelerators:
            name = self.case.soc.pus[pu].name
            yield from self._rules_for((pu,), f"on {name}", {"accelerator": name})
        if len(ground.accelerators) > 1:
            yield from self._rules_for(ground.accelerators, "on each in turn", {})

    def _rules_for(
        self, pus: Sequence[int], where: str, given: dict[str, object]
    ) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Those that differ from delegating all there is, and that."""
        blocks = self.ground.blocks(self.ground.largest(pus, None))
        sizes = [[len(b.operators) for b in blocks if b.pu == pu] for pu in pus]
        for limit in LITERT_LIMITS:
            if limit < max(map(len, sizes)):
                what = "largest" if limit == 1 else f"{limit} largest"
                yield f"{what} {where}", "delegate_largest", {"partitions": limit, **given}
        everything = {"partitions": None, **given}
        if any(size < TWO_OR_MORE for each in sizes for size in each):
            least = {**everything, "min_nodes": TWO_OR_MORE}
            yield f"all of {TWO_OR_MORE}+ {where}", "delegate_largest", least
        yield f"all {where}", "delegate_largest", everything

    def best(self, advice: Option, evaluations: int) -> Option:
        """The best plan that tuning finds, or the advice where that is faster."""
        if not evaluations:
            return self._option("best plan", advice.plan)
        try:
            found = self.option("best plan", "partition_tuner_tuned", {"evaluations": evaluations})
        except HetsimError:
            return self._option("best plan", advice.plan)
        if found.makespan_s > advice.makespan_s:
            return self._option("best plan", advice.plan)
        return found

    def support(self, pu: int) -> Support:
        """What an accelerator takes."""
        return support_of(self.case.lowering, self.profile, self.case.soc.pus[pu])

    def candidates(self, advice: Option) -> Iterator[Candidate]:
        """The subsets of every accelerator, in order."""
        ground = self.ground
        chosen = self._placement(advice.plan)
        for pu in ground.accelerators:
            for block in ground.blocks(ground.everything(pu)):
                if block.pu != pu:
                    continue
                alone = self._moved(ground.host, block.units, pu)
                part = self._part(block, self._nothing_s - self._makespan(alone))
                units = [u for u in block.units if chosen[u] == pu]
                saves, whole = None, 0.0
                if units:
                    without = self._moved(chosen, units, None)
                    saves = self._makespan(without) - advice.makespan_s
                    all_of_it = self._moved(chosen, block.units, pu)
                    whole = self._makespan(all_of_it) - advice.makespan_s
                taken = tuple(self._names(units))
                others = sorted(
                    {self.case.soc.pus[chosen[u]].name for u in block.units}
                    - {part.pu, *(self.case.soc.pus[p].name for p in ground.host)}
                )
                yield Candidate(part, taken, saves, *verdict(part, taken, saves, whole, others))

    def parts(self, advice: Option) -> Iterator[Part]:
        """What the advice delegates; the gain of each is what taking it back would cost."""
        chosen = self._placement(advice.plan)
        for block in self.ground.blocks(chosen):
            if block.pu in self.ground.accelerators:
                without = self._makespan(self._moved(chosen, block.units, None))
                yield self._part(block, without - advice.makespan_s)

    @cached_property
    def _nothing_s(self) -> float:
        return self._makespan(self.ground.host)

    def _placement(self, plan: Plan) -> Placement:
        index, by_name = self.case.graph.index, self.case.soc.by_name
        at = {index[op]: by_name[p.pu].index for p in plan.partitions for op in p.operators}
        return tuple(at[ops[0]] for ops in self.ground.units.ops)

    def _moved(self, placement: Placement, units: Sequence[int], pu: int | None) -> Placement:
        moved = list(placement)
        for u in units:
            moved[u] = self.ground.host[u] if pu is None else pu
        return tuple(moved)

    def _makespan(self, placement: Placement) -> float:
        case = self.case
        blocks = self.ground.blocks(placement)
        return case.makespan(make_plan(case.graph, case.soc, blocks, scheduler="delegation"))

    def _names(self, units: Sequence[int]) -> Iterator[str]:
        for u in units:
            yield from (self.case.graph.operators[op].name for op in self.ground.units.ops[u])

    def _part(self, block: Block, gain_s: float) -> Part:
        case, profile = self.case, self.profile
        graph, lowering = case.graph, case.lowering
        host = self.ground.host[block.units[0]]
        inputs, outputs = lowering.boundary(block.operators)[0], lowering.given(block.operators)
        transfer = sum(profile.crossing(t, host, block.pu) for t in inputs)
        transfer += sum(profile.crossing(t, block.pu, host) for t in outputs)

        def size(tensors: Sequence[str]) -> int:
            found = (graph.tensors[t] for t in tensors)
            return sum(t.bytes_as(case.soc.host.stored_dtype(t.dtype)) for t in found)

        return Part(
            case.soc.pus[block.pu].name,
            tuple(self._names(block.units)),
            sum(graph.operators[op].macs for op in block.operators),
            size(inputs),
            size(outputs),
            profile.chain_time(block.operators, block.pu),
            self._here(block.units),
            transfer,
            gain_s,
        )

    def _here(self, units: Sequence[int]) -> float:
        """Seconds of the kernels on the host, run by run of one PU."""
        seconds, run = 0.0, list[int]()
        for i, u in enumerate(units):
            run += self.ground.units.ops[u]
            home = self.ground.host[u]
            if i + 1 == len(units) or self.ground.host[units[i + 1]] != home:
                seconds += self.profile.chain_time(run, home)
                run = []
        return seconds
