"""The plan: which operators run together, where, and in which order.

This is all a scheduler may say and all the rest of hetsim needs to hear. Plans are plain data:
they are validated by :mod:`hetsim.plan.validate` and stored by :mod:`hetsim.plan.files`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hetsim.workload.rewrite import Rewrite


@dataclass(frozen=True, slots=True)
class Partition:
    """Operators that one PU runs back to back, as one call.

    A partition starts when every tensor it reads from other partitions is there and its PU is
    free; its results become visible when its last operator ends. With ``fuse`` the PU's own
    fusion patterns apply inside it, longest match first.
    """

    name: str
    pu: str
    operators: tuple[str, ...]
    fuse: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """A lower bound that a scheduler has proven while it made a plan.

    No plan of the same problem that rewrites nothing takes less than ``seconds``; ``by`` is the
    scheduler that says so. It is a claim: whoever runs plans holds it against what they take.
    """

    seconds: float
    by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A complete decision for one network on one SoC.

    The order of ``partitions`` is the execution order of the ``barrier`` runtime, and, restricted
    to each PU, the order in which that PU runs its partitions under ``dataflow``. Every entry of
    ``parallel_groups`` names partitions that stand next to each other in that order, use
    different PUs and do not depend on one another; the barrier runtime runs them at the same time.
    ``rewrites`` change the network before anything else; partitions then name the operators of the
    rewritten network. ``predicted_s`` is the makespan in seconds the scheduler itself expects,
    ``None`` if it has no opinion. ``details`` holds whatever the scheduler wants shown in the
    report. ``proof`` is the lower bound that the scheduler has proven on the way, if it has.
    """

    model: str
    partitions: tuple[Partition, ...]
    parallel_groups: tuple[tuple[str, ...], ...] = ()
    scheduler: str = "by hand"
    parameters: Mapping[str, object] = field(default_factory=dict, hash=False)
    predicted_s: float | None = None
    details: Mapping[str, object] = field(default_factory=dict, hash=False)
    rewrites: tuple[Rewrite, ...] = ()
    proof: Proof | None = None
