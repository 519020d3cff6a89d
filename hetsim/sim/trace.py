"""What happened: the rows a simulation leaves behind.

Rows are plain and complete: every report is made from them and nothing else. A recorder that keeps
nothing stands in when only the makespan is wanted, so the engine has no ``if tracing``. They are
named tuples because a long run makes millions: these are quick to make, to pickle and to collect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Span(NamedTuple):
    """Something that occupied a lane from ``start`` to ``end`` (seconds).

    ``lane`` is a PU name, ``PU.dma`` for its transfers, ``CLUSTER:PU`` for the host thread that
    converts, calls and polls for that PU, or ``runtime`` for forks and joins. ``kind`` is one of
    ``compute``, ``load``, ``store``, ``stream`` (load, compute and store overlapped),
    ``dispatch``, ``convert``, ``cache``, ``copy``, ``call``, ``fork``, ``join``, ``poll``,
    ``interrupt``, ``switch`` (a unit is taken from a partition), ``preempted`` (a partition stands
    aside while its PU runs something more urgent, whose own spans overlap it). ``alone_s`` is what
    it would have taken without contention. ``on_chip_bytes`` of the PU's managed memory are taken
    meanwhile.
    """

    lane: str
    kind: str
    name: str
    start: float
    end: float
    inference: int
    partition: str
    operators: tuple[str, ...] = ()
    bytes: int = 0
    alone_s: float = 0.0
    note: str = ""
    on_chip_bytes: int = 0


class RateSample(NamedTuple):
    """From ``time`` (seconds) on, ``link`` carries ``rate`` B/s in ``flows`` transfers."""

    time: float
    link: str
    rate: float
    flows: int


class TaskRow(NamedTuple):
    """A partition of one inference from the moment its PU took it to its results (seconds).

    ``position`` is its place in the program.
    """

    inference: int
    position: int
    pu: int
    start: float
    end: float


class Hit(NamedTuple):
    """``bytes`` that a system cache had of what a kernel or a host step of a task read.

    ``kind`` is ``kernel``, or that of the step; ``name`` that of the launch or the step.
    """

    inference: int
    position: int
    kind: str
    name: str
    bytes: int


RUNTIME = -1
"""Position of activities that belong to no task: the runtime's forks and joins."""


class Activity(NamedTuple):
    """A stretch of a task, from ``start`` to ``end``, and what its time went into (seconds).

    A task's activities follow one another without gaps. The parts add up to the stretch:
    arithmetic; bus ``contention`` (lost to others on shared links); ``transfer`` that even an idle
    bus would have taken beyond the arithmetic; ``dma`` engines slower than the bus; ``crossing``
    (dispatch, calls, conversions, completion); ``sharing`` of CPU cores with other threads, or of
    the PU with partitions that went first between two launches.
    """

    inference: int
    position: int
    start: float
    end: float
    compute: float = 0.0
    contention: float = 0.0
    transfer: float = 0.0
    dma: float = 0.0
    crossing: float = 0.0
    sharing: float = 0.0


@dataclass(slots=True)
class LinkUsage:
    """Totals of one link: bytes carried, time busy, time transfers lost to one another on it."""

    bytes: float = 0.0
    busy_s: float = 0.0
    contention_s: float = 0.0


@dataclass(slots=True)
class Trace:
    """The outcome of one simulation. Times in seconds; ``pu_busy_s`` counts kernels' time.

    ``spans``, ``rates``, ``tasks``, ``activities`` and ``hits`` are empty when tracing was off;
    totals are always there.
    ``finished`` holds the completion time of each inference, ``arrived`` its arrival, by number;
    both are empty when results went to a sink. ``state_peak_bytes`` is, by memory, the most that
    state which outlives an inference has taken.
    """

    makespan_s: float
    pu_busy_s: dict[str, float]
    links: dict[str, LinkUsage]
    spans: list[Span] = field(default_factory=list)
    rates: list[RateSample] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    events: int = 0
    state_peak_bytes: dict[str, int] = field(default_factory=dict)
