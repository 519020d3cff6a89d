"""Tasks: the partitions of one inference on their way through the SoC."""

from __future__ import annotations

from hetsim.lower.program import Job, Launch, Program, State


class Task:
    """A partition of one inference; it awaits ``blockers`` others and lets ``readers`` go on.

    ``launches`` are its job's, with the bytes that ``states`` add at this moment. ``withdrawn``
    tells that its inference was given up before it began: whoever takes it has nothing to do.
    ``seen`` is for those who keep accounts of waiting.
    """

    __slots__ = (
        "blockers", "done", "inference", "job", "launches", "position", "priority", "readers",
        "seen", "states", "stream", "withdrawn",
    )  # fmt: skip

    def __init__(
        self, job: Job, position: int, inference: int, priority: int, stream: int = 0
    ) -> None:
        self.job = job
        self.position = position
        self.inference = inference
        self.priority = priority
        self.stream = stream
        self.blockers = len(job.needs)
        self.readers: list[Task] = []
        self.done = False
        self.withdrawn = False
        self.seen: tuple[float, ...] = ()
        self.launches: tuple[Launch, ...] = job.launches
        self.states: tuple[State, ...] = ()


def tasks_of(program: Program, inference: int, priority: int = 0, stream: int = 0) -> list[Task]:
    """Fresh tasks for one inference, linked to those that read their results."""
    tasks = [Task(job, i, inference, priority, stream) for i, job in enumerate(program.jobs)]
    for task in tasks:
        for need in task.job.needs:
            tasks[need].readers.append(task)
    return tasks
