"""What tells how long jobs take, whoever learned it."""

from __future__ import annotations

from typing import Protocol

from hetsim.learn.vpunn.workloads import Workloads
from hetsim.numeric import Floats


class Judge(Protocol):
    """Hashable, and always of the same opinion."""

    @property
    def name(self) -> str:
        """For reports."""

    def cycles(self, jobs: Workloads) -> Floats:
        """Of each job; not a number where it knows nothing of such a one."""

    def __hash__(self) -> int: ...
