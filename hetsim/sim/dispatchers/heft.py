"""HEFT's order of ranks, decided as partitions become ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hetsim.sim.dispatchers.eft import EFT
from hetsim.sim.dispatchers.ranks import UpwardRanks
from hetsim.sim.task import Task
from hetsim.sim.view import View


class HEFT(EFT):
    """Of partitions that become ready together the one of the highest upward rank is placed first,
    each where it is expected to end first.

    The static algorithm places all of one inference before it begins, also into gaps. Here only
    what is ready is placed, by what is known then; what has been placed stays.
    """

    name: ClassVar[str] = "heft"
    optimises: ClassVar[str] = "the end of each partition, most critical first"
    ignores: ClassVar[str] = "what a placement costs those after it, contention"
    source: ClassVar[str] = "Topcuoglu, Hariri, Wu, IEEE TPDS 13(3) 2002, decided online"

    def begin(self, view: View) -> None:
        super().begin(view)
        self._ranks = UpwardRanks(view.expected)

    def ready(self, tasks: Sequence[Task]) -> Sequence[Task]:
        return sorted(tasks, key=self._key)

    def _key(self, task: Task) -> tuple[float, int]:
        program = self._live[task.inference].inference.program
        return -self._ranks.of(program, task.position), task.position
