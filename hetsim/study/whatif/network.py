"""One network of a what-if study: plans are made, run on every changed SoC, and compared.

1. The scheduler makes a plan for every changed SoC; those and the plans that all schedulers made
   for the SoC as it is are the pool.
2. Every plan of the pool runs on every SoC that it fits; effects compare the best on each.
3. The bottleneck is relieved, and the pool runs with each further improvement on top: no plans are
   made for two changes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.errors import SchedulerError
from hetsim.report.summary import tidy_time
from hetsim.study.point import Point, PointBench
from hetsim.study.pool import EQUAL, Ask, Pool, Told
from hetsim.study.subject import judged_by
from hetsim.study.whatif.knobs import Change, Knob
from hetsim.study.whatif.noise import Column, usual_loss, whisker
from hetsim.study.whatif.result import NetworkWhatIf, Relief
from hetsim.study.whatif.sensitivity import (
    NOTICED,
    Effect,
    Moved,
    Sensitivity,
    bottleneck,
    moved,
    moved_text,
)

AS_IT_IS = "the SoC as it is"
"""What the best plan was made for when that was the unchanged SoC."""

Performed = Callable[[Iterable[Ask], str], list[Told]]
"""Has asks answered, in order; the text says what is being done."""

Values = Mapping[str, object]


def network_whatif(
    bench: PointBench,
    model: str,
    knobs: Sequence[Knob],
    improvable: Callable[[Values], Sequence[Knob]],
    perform: Performed,
    measure: Metric = MAKESPAN,
) -> NetworkWhatIf:
    """What each of ``knobs`` is worth to ``model``: a network, or all streams.

    ``improvable`` are the knobs of the SoC after a change. Streams are judged by
    ``measure``.

    Raises:
        InfeasibleError: the network does not fit the unchanged SoC.
        SchedulerError: no scheduler finds a plan for the unchanged SoC, or its workers die of it.
    """
    pool = Pool()
    first = _base(bench, model, pool, measure.column)
    trial = _Trial(bench, model, first.label, pool, perform)
    changes = [(knob, change) for knob in knobs for change in knob.changes]
    planned = trial.plan([(f"{knob.name} = {change.label}", change) for knob, change in changes])
    [start] = trial.run([{}])
    if start.error is not None:
        raise SchedulerError(f"the plans for {model} cannot be run: {start.error}")
    base = Column(start.times, 0)
    ends = trial.run((change.values for _, change in changes), base.best)
    ended = [
        Column(told.times, made if told.times else None)
        for told, (made, _) in zip(ends, planned, strict=True)
    ]
    loss = usual_loss([base, *ended])
    judge = _Judge(pool, base, start, loss, first.bound_s or 0.0)
    effects = iter(
        trial.explained(knob, judge.effect(change, column, told, error), base, column)
        for (knob, change), column, told, (_, error) in zip(
            changes, ended, ends, planned, strict=True
        )
    )
    found = [
        Sensitivity.of(knob, judge.base_s, [next(effects) for _ in knob.changes]) for knob in knobs
    ]
    relief = None
    worst = bottleneck(found)
    if worst is not None and worst.improvement is not None:
        relief = _relieved(trial, judge, worst, improvable)
    return NetworkWhatIf(
        model, first.label, judge.base_s, pool.origins[base.best or 0], len(pool), loss,
        start.where, first.own_s, first.bound_s, tuple(sorted(found, key=_rank)), relief,
        measure.label,
    )  # fmt: skip


@dataclass(frozen=True)
class _First:
    """The contender that is fastest on the unchanged SoC, its own time and what bounds that."""

    label: str
    own_s: float
    bound_s: float | None


def _base(bench: PointBench, model: str, pool: Pool, column: str) -> _First:
    """The fastest run on the unchanged SoC, the first of equals; its plans are the pool's first."""
    scenario = bench.scenario
    subject = judged_by(bench.subject(scenario, model), column)
    subject.check()
    runs = [(who.label, *subject.run(who)) for who in scenario.contenders]
    done = [
        (own_s, label, run, made)
        for label, run, made in runs
        if (own_s := subject.own_seconds(run)) is not None
    ]
    if not done:
        reasons = "; ".join(f"{label}: {run.error or 'no result'}" for label, run, _ in runs)
        raise SchedulerError(f"no scheduler finds a plan for {model}: {reasons}")
    best = min(done, key=lambda entry: entry[0])
    for _, _, _, made in (best, *done):
        pool.add(made, AS_IT_IS)
    own_s, label, run, _ = best
    return _First(label, own_s, run.lower_bound_s)


@dataclass(frozen=True)
class _Trial:
    """Has plans of one network made and run."""

    bench: PointBench
    model: str
    contender: str
    pool: Pool
    perform: Performed

    def plan(self, changes: Sequence[tuple[str, Change]]) -> list[tuple[int | None, str | None]]:
        """The position of the plan for each changed SoC; ``None``, and why, where there is none."""
        told = self.perform((Ask(self._point(change.values)) for _, change in changes), "planning")
        return [
            (None if answer.plan is None else self.pool.add(answer.plan, origin), answer.error)
            for (origin, _), answer in zip(changes, told, strict=True)
        ]

    def run(self, designs: Iterable[Values], traced: int | None = None) -> list[Told]:
        """Every plan on every design."""
        plans = self.pool.plans
        asks = (Ask(self._point(values), plans, traced) for values in designs)
        return self.perform(asks, "running")

    def explained(self, knob: Knob, effect: Effect, before: Column, after: Column) -> Effect:
        """``effect`` with a reason, if less of something saves or more of it costs.

        There is one plan that shows it. When less saves, that is the best plan there, which was no
        better before (or would be the best known); when more costs, it is the best plan before.
        """
        better = effect.change is knob.improvement
        if effect.ratio is None or effect.change in knob.alternatives:
            return effect
        gain = effect.ratio.known - 1.0
        if (gain > -NOTICED) if better else (gain < NOTICED):
            return effect
        plan = before.best if better else after.best
        name = f"{knob.name} = {effect.change.label}"
        asks = [Ask(self._point(v), self.pool.plans, plan) for v in ({}, effect.change.values)]
        first, then = self.perform(asks, "explaining")
        if None in (first.times[plan or 0], then.times[plan or 0]):
            text = f"{name}: the best plan of one SoC does not fit the other."
        else:
            first_s, then_s = (told.times[plan or 0] or 0.0 for told in (first, then))
            reason = _reason(first, then, then_s - first_s)
            text = (
                f"{name} {'costs' if better else 'saves'}, which one would not expect: the same"
                f" plan takes {tidy_time(first_s)} before and {tidy_time(then_s)} after"
                f"{_apart(first, then, then_s - first_s)}. {reason}; no plan known avoids it."
            )
        return replace(effect, oddity=text)

    def _point(self, values: Values) -> Point:
        return Point(self.model, self.contender, values)


def _apart(first: Told, then: Told, longer_s: float) -> str:
    """Where the difference lies, in brackets, if that is known."""
    if not first.where:
        return ""
    return f" ({moved_text(moved(first.where, then.where), longer_s)})"


def _reason(first: Told, then: Told, longer_s: float) -> str:
    """Why the same plan takes ``longer_s`` more (or less, if negative), as nobody expects."""
    arithmetic_s = then.compute_s - first.compute_s
    if arithmetic_s * longer_s > 0.5 * longer_s**2:
        takes = "longer" if longer_s > 0 else "less time"
        return (
            f"The arithmetic of its kernels takes {takes} there, each by itself: how their shapes"
            " fill the unit decides, not the size alone"
        )
    if first.tiles != then.tiles:
        return (
            "Its kernels are cut into other tiles there, of which the tiler foresees less than the"
            " simulation shows"
        )
    return "It is the same work; what waits for what is not (Graham's anomalies, 1969)"


@dataclass(frozen=True)
class _Judge:
    """Compares what plans take before and after a change."""

    pool: Pool
    before: Column
    start: Told
    loss: float
    bound_s: float

    @property
    def base_s(self) -> float:
        """The best time before, seconds."""
        assert self.before.best_s is not None
        return self.before.best_s

    def effect(self, change: Change, after: Column, told: Told, error: str | None = None) -> Effect:
        """What ``change`` did; ``error`` is why the scheduler made no plan for it."""
        ratio = whisker(self.before, after, self.loss, self.bound_s)
        if ratio is None:
            return Effect(change, error=error or told.error)
        return Effect(
            change,
            ratio,
            after.best_s,
            self.pool.origins[after.best or 0],
            after.own_s,
            after.times[0],
            self._moved(after, told),
            error=error,
        )

    def _moved(self, after: Column, told: Told) -> tuple[Moved, ...]:
        """Where the difference lies while the best plan before is kept, and what another one adds.

        They add up to the difference of the best times.
        """
        assert after.best_s is not None
        assert self.before.best is not None
        kept_s = after.times[self.before.best]
        if kept_s is None:
            return (Moved("another", "plan", after.best_s - self.base_s),)
        found = moved(self.start.where, told.where)
        if after.best_s * EQUAL < kept_s:
            found = (*found, Moved("another", "plan", after.best_s - kept_s))
        return tuple(sorted(found, key=lambda m: (-abs(m.seconds), m.unit, m.part)))


def _relieved(
    trial: _Trial, judge: _Judge, worst: Sensitivity, improvable: Callable[[Values], Sequence[Knob]]
) -> Relief:
    """What helps when the bottleneck is relieved."""
    relief = worst.improvement
    assert relief is not None
    made = relief.change.values
    steps = [(k, step) for k in improvable(made) if (step := k.improvement) is not None]
    [start] = trial.run([made])
    if start.error is not None:
        return Relief(worst, relief, None)
    then = replace(judge, before=Column(start.times), start=start, bound_s=0.0)
    ends = trial.run(({**made, **step.values} for _, step in steps), then.before.best)
    following = []
    for (knob, step), told in zip(steps, ends, strict=True):
        effect = then.effect(step, Column(told.times), told)
        sides = {knob.better: effect}
        following.append(Sensitivity(knob, then.base_s, sides.get("less"), sides.get("more")))
    return Relief(worst, relief, bottleneck(following))


def _rank(sensitivity: Sensitivity) -> tuple[float, float]:
    return (-sensitivity.gain, -sensitivity.swing)
