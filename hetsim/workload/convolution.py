"""The classes of convolution: what costs tell apart because hardware runs them differently.

Stated once. An operator's ``variant`` is its class, efficiency tables name it after the dot
(``Conv.depthwise``), formulas and learned models have a rate or a label for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hetsim.workload.graph import LoopNest

STEM_CHANNELS = 4
"""A dense convolution of at most this many input channels is a network's first layer."""

CLASSES = ("", "pointwise", "depthwise", "grouped", "stem")
"""All of them; ``""`` is a plain dense convolution. Fits search their rates in this order."""

NAMED = tuple(name for name in CLASSES if name)
"""Those that a table can name."""


def conditions(groups: Any, channels: Any, taps: Any) -> Mapping[str, Any]:
    """What makes a convolution one of :data:`NAMED`; the first that holds decides.

    Numbers or arrays of them: groups, input channels of a group, positions of the kernel.
    """
    return {
        "depthwise": (groups > 1) & (channels == 1),
        "grouped": groups > 1,
        "stem": channels <= STEM_CHANNELS,
        "pointwise": taps == 1,
    }


def convolution_class(nest: LoopNest) -> str:
    """One of :data:`CLASSES`."""
    found = conditions(nest.groups, nest.in_c, nest.k_h * nest.k_w)
    return next((name for name, holds in found.items() if holds), "")


def spelled(name: str) -> str:
    """The class in a word: the one without a name is ``dense``."""
    return name or "dense"
