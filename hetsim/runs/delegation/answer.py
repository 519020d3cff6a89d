"""What there is to say about delegating a network: ways compared, parts, and a verdict on each."""

from __future__ import annotations

from dataclasses import dataclass

from hetsim.bounds.bound import Bound
from hetsim.plan.model import Plan
from hetsim.runs.case import Case
from hetsim.runs.support import Support


@dataclass(frozen=True)
class Option:
    """One way to run the network: by a default rule, as advised, or with any plan at all.

    ``delegated`` counts the partitions on accelerators, ``operators`` those in them.
    """

    label: str
    plan: Plan
    makespan_s: float
    delegated: int
    operators: int


@dataclass(frozen=True)
class Part:
    """Operators that could be, or are, delegated together to ``pu``. Times in seconds.

    ``there_s`` are its kernels on the accelerator, ``here_s`` on the host's CPU, data in place;
    ``transfer_s`` is the host's work on the tensors that cross, ``bytes_in`` and ``bytes_out``
    their size in the host's format. ``gain_s`` is what delegating it alone saves of the makespan.
    """

    pu: str
    operators: tuple[str, ...]
    macs: int
    bytes_in: int
    bytes_out: int
    there_s: float
    here_s: float
    transfer_s: float
    gain_s: float

    @property
    def calls_s(self) -> float:
        """What else it costs, seconds: calls of partitions, kernels torn apart, caches lost."""
        return self.here_s - self.there_s - self.transfer_s - self.gain_s


@dataclass(frozen=True)
class Candidate:
    """A part that a delegating runtime could hand over, and what becomes of it.

    ``taken`` of its operators go to its accelerator in the best choice, which saves ``saves_s`` of
    the makespan there (``None`` when there are none).
    """

    part: Part
    taken: tuple[str, ...]
    saves_s: float | None
    verdict: str
    reason: str


@dataclass(frozen=True)
class Delegation:
    """The answer for one network on one SoC.

    ``rules`` are the default rules, nothing delegated first; ``advice`` is the choice found,
    ``single`` those for each accelerator alone where there are several; ``parts`` are what the
    advice delegates, in order; ``best`` is the best plan of any kind. ``support`` tells
    what each accelerator refuses, which is what divides the candidates.
    """

    case: Case
    host: str
    rules: tuple[Option, ...]
    single: tuple[Option, ...]
    advice: Option
    best: Option
    bound: Bound
    candidates: tuple[Candidate, ...]
    parts: tuple[Part, ...]
    support: tuple[Support, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """All ways compared, the advice and the best plan last."""
        return (*self.rules, *self.single, self.advice, self.best)
