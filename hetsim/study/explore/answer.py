"""The answer to what was asked: the cheapest design that meets the limits, and its neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hetsim.report.summary import share_text
from hetsim.study.explore.objectives import Constraint, known_measure, text
from hetsim.study.explore.result import Design, Exploration

SAME = 1e-3
"""Designs whose measures differ by a smaller share are as good as each other in words."""


@dataclass(frozen=True)
class Answer:
    """The design of least ``price`` that meets all limits.

    ``next`` is the one of the front that costs the least more; ``without`` is, for each limit that
    makes the design dearer, the cheapest one that only this limit rules out.
    """

    price: str
    design: Design
    next: Design | None
    without: Mapping[str, Design]


def price_of(study: Exploration) -> str:
    """The objective that designs are chosen by.

    One that has no limit of its own; of these one that the SoC states (area, cost), and else the
    first that was asked for.
    """
    limited = {c.measure for c in study.constraints}

    def rank(name: str) -> tuple[bool, bool]:
        return name in limited, not known_measure(name).metric.of_the_soc

    return min(study.objectives, key=rank)


def by_price(study: Exploration, designs: Iterable[Design]) -> list[Design]:
    """``designs`` with the cheapest first; of equals the best in the other objectives."""
    price = price_of(study)
    names = [price, *(name for name in study.objectives if name != price)]
    return sorted(designs, key=lambda d: ([d.measures[name] for name in names], d.number))


def answer(study: Exploration) -> Answer | None:
    """The answer; ``None`` when no design will do."""
    front = by_price(study, study.front)
    if not front:
        return None
    price, best = price_of(study), front[0]
    without = {}
    for limit in study.constraints:
        others = [str(c) for c in study.constraints if c != limit]
        able = [d for d in study.ran if all(d.violations[name] <= 0.0 for name in others)]
        cheapest = by_price(study, able)[0]
        if cheapest.measures[price] < best.measures[price] * (1.0 - SAME):
            without[str(limit)] = cheapest
    return Answer(price, best, front[1] if len(front) > 1 else None, without)


def headline(study: Exploration) -> str:
    """The answer in a sentence, or that there is none."""
    found = answer(study)
    count = f"{len(study.tried)} design{'s' * (len(study.tried) != 1)}"
    if found is None:
        return f"None of {count} will do{_nearest(study)}."
    if len(study.objectives) > 1 and not study.constraints:
        return _range_of_front(study, count)
    best, price = found.design, known_measure(found.price)
    limits = " and ".join(c.words for c in study.constraints)
    told = [f"{price.amount(best.measures[found.price])}{_slack(study, best, found.price)}"]
    others = [name for name in study.measured if name != found.price]
    told += [f"{text(name, best.measures[name])}{_slack(study, best, name)}" for name in others]
    within = f" of those with {limits}" if limits else ""
    return f"Of {count}, {_name(best)} has the least {price.plain}{within}: {', '.join(told)}."


def details(study: Exploration) -> list[str]:
    """What the design is, what the next one up buys and what each limit costs; or what forbids."""
    found = answer(study)
    if found is None:
        near = nearest(study)
        values = [] if near is None else [f"{_name(near).capitalize()}: {_values(near)}."]
        return [*values, f"{obstacles(study)}."]
    values = [f"{_name(found.design).capitalize()}: {_values(found.design)}."]
    if len(study.objectives) > 1 and not study.constraints:
        return values
    return [*values, *_next_up(study, found), *_without(study, found)]


def obstacles(study: Exploration) -> str:
    """What rules out how many designs, the deadliest first, and how close the closest came."""
    ran, killed = study.ran, study.killed()
    by_name = {str(c): c for c in study.constraints}
    parts = []
    for name, count in sorted(killed.items(), key=lambda item: -item[1]):
        if not count:
            continue
        if name == "cannot run":
            reasons = Counter((d.error or "").partition("\n")[0] for d in study.tried if d.error)
            parts.append(f"{count} cannot run (mostly: {reasons.most_common(1)[0][0]})")
            continue
        limit = by_name[name]
        miss = [d for d in ran if d.violations[name] > 0.0]
        closest = min(miss, key=lambda d: (d.violations[name], d.number))
        value = closest.measures[limit.measure]
        parts.append(
            f"{limit.words}: {count} of {len(ran)} designs miss it; the closest, {_name(closest)},"
            f" has {_away(limit, value)}"
        )
    return ". ".join(parts) or "Nothing is in the way"


def _name(design: Design) -> str:
    return f"design {design.stem}"


def _values(design: Design) -> str:
    return ", ".join(f"{path} = {value}" for path, value in design.values.items())


def _slack(study: Exploration, design: Design, name: str) -> str:
    """How far a measure is from its limits: `` (1.9% below the limit)``, or nothing."""
    value = design.measures[name]
    aways = [c.distance(value) for c in study.constraints if c.measure == name]
    told = ", ".join(filter(None, aways))
    return f" ({told})" if told else ""


def _next_up(study: Exploration, found: Answer) -> list[str]:
    other, price = found.next, found.price
    if other is None:
        return []
    gains = [
        f"{share_text(saved)} less {known_measure(name).plain}"
        for name in study.objectives
        if name != price
        and found.design.measures[name] > 0.0
        and (saved := 1.0 - other.measures[name] / found.design.measures[name]) > 0.0
    ]
    base = found.design.measures[price]
    if not gains or base <= 0.0:
        return []
    more = share_text(other.measures[price] / base - 1.0)
    return [
        f"The next one up, {_name(other)}, has {' and '.join(gains)} for {more} more"
        f" {known_measure(price).plain}."
    ]


def _without(study: Exploration, found: Answer) -> list[str]:
    price = found.price
    return [
        f"Without {limit.words}, {text(price, other.measures[price])} would do ({_name(other)},"
        f" {text(limit.measure, other.measures[limit.measure])})."
        for limit in study.constraints
        if (other := found.without.get(str(limit))) is not None
    ]


def _range_of_front(study: Exploration, count: str) -> str:
    front = by_price(study, study.front)
    names = [price_of(study), *(n for n in study.objectives if n != price_of(study))]

    def told(design: Design) -> str:
        return f"{' with '.join(text(n, design.measures[n]) for n in names)} ({_name(design)})"

    first = front[0]
    if len(front) == 1:
        return f"One of {count} is best in everything: {told(first)}."
    return (
        f"{len(front)} of {count} are better than all others in something: from {told(first)}"
        f" to {told(front[-1])}. A limit, like --constraint '{names[1]} <= NUMBER', chooses one."
    )


def nearest(study: Exploration) -> Design | None:
    """The design whose worst miss of a limit is the least; ``None`` when none runs."""

    def worst(design: Design) -> tuple[float, int]:
        return max(design.violations.values(), default=0.0), design.number

    return min(study.ran, key=worst, default=None)


def _nearest(study: Exploration) -> str:
    """The nearest design, with all that it misses."""
    near = nearest(study)
    if near is None:
        return ""
    told = [
        f"{known_measure(limit.measure).plain} {_away(limit, near.measures[limit.measure])}"
        for limit in study.constraints
        if near.violations[str(limit)] > 0.0
    ]
    return f"; the nearest is {_name(near)}, {' and '.join(told)}"


def _away(limit: Constraint, value: float) -> str:
    """A value and how far it is from its limit: ``34.1 ms (3.3% above the limit)``."""
    away = limit.distance(value)
    return f"{known_measure(limit.measure).amount(value)}{f' ({away})' if away else ''}"
