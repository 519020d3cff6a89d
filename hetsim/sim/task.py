"""Tasks: the partitions of one inference on their way through the SoC."""

from __future__ import annotations

from hetsim.lower.program import Job, Launch, Program, State


class Task:
    """A partition of one inference; it awaits ``blockers`` others and lets ``readers`` go on.

    ``launches`` are its job's, with the bytes that ``states`` add at this moment. ``withdrawn``
    tells that its inference was given up before it began: whoever takes it has nothing to do.
    ``begun`` tells that a unit has taken it, and ``launched`` how many of its launches have ended.
    ``seen`` is for those who keep accounts of waiting.
    """

    __slots__ = (
        "begun", "blockers", "done", "inference", "job", "launched", "launches", "position",
        "priority", "readers", "seen", "states", "stream", "withdrawn",
    )  # fmt: skip

    def __init__(
        self, job: Job, position: int, inference: int, priority: int = 0, stream: int = 0
    ) -> None:
        self.job = job
        self.position = position
        self.inference = inference
        self.priority = priority
        self.stream = stream
        self.blockers = len(job.needs)
        self.readers: list[Task] = []
        self.begun = False
        self.launched = 0
        self.done = False
        self.withdrawn = False
        self.seen: tuple[float, ...] = ()
        self.launches: tuple[Launch, ...] = job.launches
        self.states: tuple[State, ...] = ()

    def place(self, job: Job) -> None:
        """It shall run as ``job``, the same partition lowered for a unit of somebody's choice."""
        self.job = job
        self.launches = job.launches


def tasks_of(program: Program, inference: int, priority: int = 0, stream: int = 0) -> list[Task]:
    """Fresh tasks for one inference, linked to those that read their results."""
    tasks = [Task(job, i, inference, priority, stream) for i, job in enumerate(program.jobs)]
    for task in tasks:
        for need in task.job.needs:
            tasks[need].readers.append(task)
    return tasks
