"""Colours and hatches of activities: one legend for every picture.

Colours are the Okabe–Ito set (M. Okabe, K. Ito, "Color Universal Design", 2008), which people with
any common colour vision can tell apart. Computation is plain; everything that is not computation
has a hatch as well, so that a grey print still tells.
"""

from __future__ import annotations

from dataclasses import dataclass

ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#999999"
PALE = "#D8D8D8"
BLACK = "#000000"


@dataclass(frozen=True, slots=True)
class Style:
    """How one kind of span is drawn; ``hatch`` is in matplotlib's notation, empty for none."""

    colour: str
    hatch: str
    label: str


STYLES: dict[str, Style] = {
    "compute": Style(BLUE, "", "compute"),
    "stream": Style(SKY, "", "stream"),
    "load": Style(GREEN, "///", "load"),
    "store": Style(VERMILION, "\\\\\\", "store"),
    "dispatch": Style(YELLOW, "|||", "dispatch"),
    "convert": Style(ORANGE, "xxx", "convert"),
    "cache": Style(PURPLE, "---", "cache"),
    "copy": Style(PURPLE, "///", "copy"),
    "call": Style(GREY, "\\\\\\", "call"),
    "fork": Style(GREY, "///", "fork"),
    "join": Style(GREY, "xxx", "join"),
    "poll": Style(PALE, "---", "poll"),
    "interrupt": Style(BLACK, "", "interrupt"),
    "switch": Style(BLACK, "///", "change of tasks"),
}
"""Kinds of :class:`hetsim.sim.trace.Span`, in legend order."""

PARTS: dict[str, Style] = {
    "compute": Style(BLUE, "", "compute"),
    "bus_contention": Style(VERMILION, "xxx", "bus contention"),
    "unavoidable_transfer": Style(SKY, "///", "unavoidable transfer"),
    "dma_wait": Style(GREEN, "\\\\\\", "DMA wait"),
    "dispatch_and_crossing": Style(YELLOW, "|||", "dispatch and crossing"),
    "core_sharing": Style(PURPLE, "---", "core sharing"),
    "dependency_wait": Style(GREY, "...", "dependency wait"),
    "barrier_wait": Style(ORANGE, "+++", "barrier wait"),
    "idle": Style(PALE, "", "idle"),
}
"""Parts of a makespan (:mod:`hetsim.analysis.attribution`), in the order they are shown."""

_UNKNOWN = Style(PALE, "+++", "other")


def style_of(kind: str) -> Style:
    """The style of a span kind; kinds hetsim does not know share one."""
    return STYLES.get(kind, _UNKNOWN)
