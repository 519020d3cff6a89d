"""Whether what a scheduler returned has the shape of a plan, before anybody reads it as one.

Schedulers are often code of others, where no type checker has looked. What the plan says is the
business of :mod:`hetsim.plan.validate`.
"""

from __future__ import annotations

import math

from hetsim.plan.model import Partition, Plan, Proof


def misshapen(plan: object) -> str | None:
    """What is wrong with the types of ``plan``, in one clause; ``None`` when nothing is."""
    if not isinstance(plan, Plan):
        return f"a {type(plan).__name__}, not a Plan"
    if not _are(plan.partitions, Partition):
        return "not a plan: its 'partitions' are not a tuple of Partition objects"
    for i, partition in enumerate(plan.partitions):
        if not _are((partition.name, partition.pu), str):
            return f"not a plan: partition {i} needs names (str) of itself and its PU"
        if not _are(partition.operators, str):
            return f"not a plan: the operators of partition {i} are not a tuple of names (str)"
    groups = plan.parallel_groups
    if not isinstance(groups, tuple | list) or not all(_are(group, str) for group in groups):
        return "not a plan: its 'parallel_groups' are not tuples of names (str)"
    if plan.predicted_s is not None and not _is_time(plan.predicted_s):
        return f"not a plan: it predicts {plan.predicted_s!r} seconds"
    proof: object = plan.proof
    if proof is not None and not (isinstance(proof, Proof) and _is_time(proof.seconds)):
        return f"not a plan: its proof is {proof!r}, not a Proof with a time in seconds"
    return None


def _is_time(value: object) -> bool:
    """Whether ``value`` is a number of seconds."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value < math.inf  # type: ignore[operator]


def _are(items: object, kind: type) -> bool:
    """Whether ``items`` is a tuple or list of ``kind``."""
    return isinstance(items, tuple | list) and all(isinstance(i, kind) for i in items)
