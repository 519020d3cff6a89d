"""Why a part pays to be delegated or does not, in a word and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.report.summary import tidy_time
from hetsim.runs.delegation.answer import Part

NAMED = 3
"""Operators named before the rest is only counted."""


def verdict(
    part: Part, taken: Sequence[str], saves: float | None, whole: float, others: Sequence[str]
) -> tuple[str, str]:
    """What becomes of ``part`` in the best choice.

    ``taken`` of its operators are delegated as the part says, which saves ``saves`` seconds;
    all of them would take ``whole`` seconds more than these. ``others`` are accelerators that take
    some of it instead.
    """
    if saves is not None:
        if len(taken) < len(part.operators):
            return "pays in part", _in_part(part, taken, saves, whole, others)
        if part.gain_s > 0.0:
            return "pays", f"saves {tidy_time(saves)} here, {tidy_time(part.gain_s)} alone"
        return "pays with others", f"saves {tidy_time(saves)} beside the others, nothing alone"
    if others:
        return "elsewhere", f"{' and '.join(others)} takes it, or some of it, with more gain"
    if part.gain_s > 0.0:
        return "not beside others", f"saves {tidy_time(part.gain_s)} alone, nothing beside others"
    saved = part.here_s - part.there_s
    if saved <= 0.0:
        return "slower there", f"{tidy_time(part.there_s)} there, {tidy_time(part.here_s)} here"
    size = f"{(part.bytes_in + part.bytes_out) / 1024:,.0f} KiB"
    crossing = f"{size} cross in {tidy_time(part.transfer_s)}"
    if part.transfer_s >= saved:
        return "transfer", f"{crossing}, and that saves {tidy_time(saved)}"
    calls = f"calls and cuts take {tidy_time(part.calls_s)}"
    return "too small", f"saves {tidy_time(saved)}, but {crossing}, and {calls}"


def _in_part(
    part: Part, taken: Sequence[str], saves: float, whole: float, others: Sequence[str]
) -> str:
    inside = set(taken)
    left = [name for name in part.operators if name not in inside]
    where = " and ".join(["the host", *others]) if others else "the host"
    gain = f"saves {tidy_time(saves)}, {tidy_time(whole)} more than all of it"
    if len(taken) <= len(left):
        return f"only {_listed(taken)}; {gain}"
    return f"all but {_listed(left)}, for {where}; {gain}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
