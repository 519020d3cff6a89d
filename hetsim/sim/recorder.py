"""Recorders: who writes the trace's rows. The silent one is the neutral element."""

from __future__ import annotations

from hetsim.cost.work import Phase
from hetsim.lower.program import Job, Launch
from hetsim.sim.network import Flow
from hetsim.sim.trace import Span


class Recorder:
    """Keeps nothing. The engine calls these methods whether or not anybody listens."""

    spans: list[Span]

    def __init__(self) -> None:
        self.spans = []

    def host(
        self, lane: str, kind: str, name: str, start: float, end: float,
        inference: int, partition: str, moved: int, alone: float,
    ) -> None:  # fmt: skip
        """Host work around a partition, or of the runtime."""

    def phase(
        self, lane: str, launch: Launch, phase: Phase, delay: float, start: float, end: float,
        flow: Flow, inference: int, job: Job,
    ) -> None:  # fmt: skip
        """One phase of a kernel, begun at ``start``, after ``delay`` seconds of dispatch."""


class SpanRecorder(Recorder):
    """Writes every span into a list."""

    def host(
        self, lane: str, kind: str, name: str, start: float, end: float,
        inference: int, partition: str, moved: int, alone: float,
    ) -> None:  # fmt: skip
        if end > start:
            self.spans.append(
                Span(lane, kind, name, start, end, inference, partition, (), moved, alone)
            )

    def phase(
        self, lane: str, launch: Launch, phase: Phase, delay: float, start: float, end: float,
        flow: Flow, inference: int, job: Job,
    ) -> None:  # fmt: skip
        spans, name, operators = self.spans, launch.name, launch.operators
        begin = start + delay
        if delay > 0.0:
            spans.append(
                Span(lane, "dispatch", name, start, begin, inference, job.name, operators, 0, delay)
            )
        if end <= begin:
            return
        alone = end - begin - flow.lost
        note = launch.work.source
        dma = f"{lane}.dma"
        if phase.kind in ("load", "store"):
            spans.append(
                Span(dma, phase.kind, name, begin, end, inference, job.name, operators,
                     phase.bytes, alone, note)
            )  # fmt: skip
            return
        spans.append(
            Span(lane, "compute", name, begin, end, inference, job.name, operators,
                 phase.bytes, alone, note)
        )  # fmt: skip
        if phase.kind == "stream" and phase.bytes:
            spans.append(
                Span(dma, "stream", name, begin, end, inference, job.name, operators,
                     phase.bytes, alone, note)
            )  # fmt: skip
