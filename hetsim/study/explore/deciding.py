"""What decides a measure, in words and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hetsim.report.page.tables import Table
from hetsim.report.summary import share_text
from hetsim.study.explore.importance import Importance, Pair
from hetsim.study.explore.objectives import Measure, known_measure

IDLE = 0.005
"""A parameter of a smaller share, or one that moves the mean by less, decides nothing in words."""

MOST = 0.8
"""The share of the variance that "most of it" is at the least."""

BEND = 0.15
"""How far the curve of a parameter may leave the range of its ends and still be told by them."""


def basis(name: str, found: Importance) -> str:
    """What the shares rest on, in a sentence."""
    if found.reason:
        more = f"; about {found.missing} more may be enough" if found.missing else ""
        return f"What decides {known_measure(name).plain} cannot be told: {found.reason}{more}."
    of = "the logarithm of " if found.log else ""
    what = f"Shares of the variance of {of}{known_measure(name).plain} over the values explored"
    if found.r2 is None:
        return f"{what}, exact: all {found.designs} designs are known."
    return (
        f"{what}, by a surrogate of {found.designs} designs (R² {found.r2:.2f} on held-out ones)."
    )


def summary(found: Importance) -> str:
    """The parameters that decide most, and those that decide nothing."""
    most: dict[str, float] = {}
    for path, share in found.effect.items():
        if sum(most.values()) >= MOST:
            break
        most[path] = share
    told = listed([f"{path} ({share_text(share, 0)})" for path, share in most.items()])
    idle = listed([path for path, share in found.total.items() if share < IDLE])
    text = f"{told} {'decides' if len(most) == 1 else 'decide'} most of it"
    return f"{text}; {idle} next to nothing." if idle else f"{text}."


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def deciding_table(name: str, found: Importance) -> Table:
    """A row per parameter: its shares, and the measure from one value to another."""
    measure = known_measure(name)
    rows = []
    for path, effect in found.effect.items():
        means, values = found.means[path], found.values[path]
        start, end = ends(means)
        still = max(means) - min(means) <= IDLE * abs(max(means))
        moves = [f"{values[start]} → {values[end]}", measure.span(means[start], means[end])]
        shares = [share_text(effect, 0), share_text(found.alone[path], 0)]
        rows.append([path, *shares, *(["–", "–"] if still else moves)])
    return Table(["parameter", "decides", "alone", "from, to", f"{measure.plain} on average"], rows)


def ends(means: Sequence[float]) -> tuple[int, int]:
    """Positions that tell what a parameter does: first and last, or least and most.

    A bend that leaves the range of first and last by less than :data:`BEND` of it is no news.
    """
    low, high = min(means), max(means)
    span = abs(means[-1] - means[0])
    if high - low <= (1.0 + BEND) * span:
        return 0, len(means) - 1
    first, last = sorted((means.index(low), means.index(high)))
    return first, last


def together(name: str, found: Importance) -> Iterator[str]:
    """What two parameters decide only together, a sentence for each pair worth naming."""
    for pair in found.pairs:
        yield _together(known_measure(name), found, pair)


def _together(measure: Measure, found: Importance, pair: Pair) -> str:
    """One matters by the other: told of the one that decides less, at the extremes of the other."""
    rows = [list(row) for row in pair.means]
    own, other = pair.paths
    if found.effect[own] > found.effect[other]:
        own, other, rows = other, own, [list(row) for row in zip(*rows, strict=True)]
    swings = [max(column) / min(column) - 1.0 if found.log else max(column) - min(column)
              for column in zip(*rows, strict=True)]  # fmt: skip
    most, least = swings.index(max(swings)), swings.index(min(swings))
    first, last = ends([row[most] for row in rows])

    def told(at: int) -> str:
        return measure.span(rows[first][at], rows[last][at])

    matters = "matters only" if swings[least] < 0.1 * swings[most] else "matters most"
    values, others = found.values[own], found.values[other]
    return (
        f"{own} {matters} where {other} is {others[most]}: from {values[first]} to {values[last]}"
        f" {measure.plain} goes {told(most)} there, {told(least)} where it is {others[least]}"
        f" ({share_text(pair.share, 0)} is decided by the two together only)."
    )
