"""XRBench's published schedule of VR gaming, carried out again, and its scores.

Its authors' program looks at what waits whenever a frame ends and at every tick of the fastest
camera, drops what is past its deadline, and starts what is ready in the order of the models' names:
without preemption, one accelerator, eye segmentation before gaze estimation before hands. So the
moments at which frames were injected are theirs; when each begins and ends is found here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.analysis.serving.xrbench import energy_scores, real_time_scores, scores
from hetsim.cost.work import Phase, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.serving.serve import serve
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.streams.arrivals.after import After
from hetsim.streams.arrivals.periodic import Periodic
from hetsim.streams.service import Stream
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.tables import Tables

SCHEDULE = "xrbench_vr_gaming_schedule.csv"
SUMMARY = "xrbench_vr_gaming_summary.csv"
MODELS = ("ES_RITNet", "GE_FBNet_C", "HT_hand_graph_cnn_half")
"""In the order in which the authors' program looks at them."""

AFTER = {"GE_FBNet_C": "ES_RITNet"}
"""Whose frame each frame waits for."""

MS = 1e-3

ONE_UNIT = {
    "hetsim": "soc/1",
    "name": "one accelerator",
    "memory": {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}},
    "pus": {
        "accelerator": {
            "kind": "cpu_cluster",
            "cores": 1,
            "path": ["dram"],
            "operating_points": {"nominal": {"clock": "1 GHz"}},
            "macs_per_cycle": {"float32": 1},
            "element_ops_per_cycle": {"float32": 1},
            "efficiency": {"default": 1.0},
        }
    },
    "runtime": {"host": "accelerator"},
}


@dataclass(frozen=True, slots=True)
class Frame:
    """An inference of the schedule; seconds and joules."""

    model: str
    number: int
    injected: float
    dispatched: float
    deadline: float
    completed: float
    joules: float

    @property
    def name(self) -> str:
        """The model and the frame."""
        return f"{self.model} {self.number}"


def published(tables: Tables) -> list[Frame]:
    """The schedule's rows."""
    found = []
    for row in tables.records(SCHEDULE):
        injected, dispatched, deadline, completed = (
            float(row[f"{what} Time (ms)"]) * MS
            for what in ("Injection", "Dispatch", "Deadline", "Completion")
        )
        model, number = row["Model Name"], int(row["Frame ID"])
        joules = float(row["Energy (mJ)"]) * MS
        found.append(Frame(model, number, injected, dispatched, deadline, completed, joules))
    return found


def replayed(frames: Iterable[Frame]) -> dict[str, tuple[float, float]]:
    """When each frame begins and ends, seconds, given how long it ran and when it was injected.

    Each is a stream of its own, because no two need take equally long: the published times are in
    single precision, and so are the differences between them.
    """
    listed = list(frames)
    streams, programs = [], {}
    for frame in listed:
        before = AFTER.get(frame.model)
        streams.append(
            Stream(
                frame.name,
                frame.model,
                After(kind="after", stream=f"{before} {frame.number}")
                if before
                else Periodic.model_validate(
                    {"kind": "periodic", "period": "1 s", "offset": f"{frame.injected!r} s"}
                ),
                priority=-MODELS.index(frame.model),
                deadline_s=frame.deadline - frame.injected,
                deadline_from="release",
                count=1,
            )
        )
        programs[frame.name] = running(frame.completed - frame.dispatched)
    soc = SoC.from_spec(SoCSpec.model_validate(ONE_UNIT))
    served = serve(soc, streams, programs)
    return {
        name: (float(ledger.start[0]), float(ledger.finish[0]))
        for name, ledger in served.ledgers.items()
    }


def running(seconds: float) -> Program:
    """One launch that takes so long, and moves nothing."""
    work = Work(0.0, seconds, (Phase("compute", seconds, compute_s=seconds),), source="measured")
    job = Job("frame", 0, (), (), (Launch("frame", ("frame",), work),))
    return Program("frame", (job,), ((0,),))


class VRGamingSchedule(Check):
    """When frames begin and end."""

    title = "a published schedule of three networks"
    compared = (
        "when each frame of XRBench's VR gaming begins and ends on one accelerator under fixed"
        " priorities, given when it was injected and how long it ran, beside its authors' run"
    )
    kind = "published"
    unit = "s"
    tables = (SCHEDULE,)
    grouped = "model"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """Two rows a frame; the first frame's beginning, at zero, has no relative error."""
        frames = published(setting.tables)
        moments = replayed(frames)
        for frame in frames:
            begin, end = moments[frame.name]
            if frame.dispatched:
                yield Row(f"{frame.name} begins", frame.model, frame.dispatched, begin)
            yield Row(f"{frame.name} ends", frame.model, frame.completed, end)


class VRGamingScores(Check):
    """What that schedule is worth."""

    title = "the scores of a published schedule"
    compared = (
        "XRBench's scores of that schedule, carried out by hetsim, beside those its authors"
        " published with six decimals; the total is summed in single precision, as theirs is"
    )
    kind = "published"
    unit = "score"
    tables = (SCHEDULE, SUMMARY)
    grouped = "score"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """Three rows a model, and the total."""
        mine = scored(published(setting.tables))
        table = csv.reader(io.StringIO(setting.tables.text(SUMMARY)))
        next(table)
        for name, *figures in (line for line in table if line):
            for (what, ours), theirs in zip(mine[name].items(), figures, strict=True):
                yield Row(name, what, float(theirs), ours)


def scored(frames: Iterable[Frame]) -> Mapping[str, Mapping[str, float]]:
    """Scores by model and kind, and ``Overall Score`` in percent, of frames carried out here."""
    listed = list(frames)
    moments = replayed(listed)
    found: dict[str, Mapping[str, float]] = {}
    means = []
    for model in MODELS:
        mine = [frame for frame in listed if frame.model == model]
        late = np.array([moments[frame.name][1] - frame.deadline for frame in mine])
        joules = np.array([frame.joules for frame in mine])
        told = scores(late, joules)
        assert told is not None, "the table has frames of each"
        found[model] = {
            "real time": told.real_time, "energy": told.energy, "experience": told.experience
        }  # fmt: skip
        each = (real_time_scores(late) * energy_scores(joules)).astype(np.float32)
        means.append(np.cumsum(each)[-1] / np.float32(len(each)))
    total = np.cumsum(means, dtype=np.float32)[-1] / np.float32(len(means)) * np.float32(100)
    return found | {"Overall Score": {"total": float(total)}}
