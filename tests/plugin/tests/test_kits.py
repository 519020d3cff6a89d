"""Everything this package adds keeps what hetsim promises of it."""

from hetsim_example import reader
from hetsim_example.costs import FreePooling
from hetsim_example.executor import ThreadExecutor

from hetsim.cost.analytical import AnalyticalModel
from hetsim.testing import (
    ArrivalsKit,
    CheckKit,
    CostModelKit,
    DispatcherKit,
    ExecutorKit,
    ModelFormatKit,
    PUKindKit,
    ReaderKit,
    SchedulerKit,
    StudyKit,
)


class TestByKind(SchedulerKit):
    name = "by_kind"


class TestByKindWithHandicap(SchedulerKit):
    name = "by_kind"
    parameters = {"handicap_us": 500.0}
    problems = 10


class TestShortest(DispatcherKit):
    name = "shortest"


class TestPairs(ArrivalsKit):
    entry = {"kind": "pairs", "period": "100 ms", "apart": "30 ms"}


class TestFreePooling(CostModelKit):
    def make(self, soc, graphs):
        return FreePooling(AnalyticalModel(), {pu.cluster for pu in soc.pus})


class TestLanes(PUKindKit):
    kind = "lanes"
    moves = {"lanes": 16, "dispatch": "9 us"}

    def entry(self):
        return {"lanes": 64, "exclude": ["Softmax"]}


class TestLayers(ModelFormatKit):
    name = "layers"
    macs = 784 * 128 + 128 * 10

    def write(self):
        return b"784 128 10"


class TestHalving(StudyKit):
    name = "halving"
    arguments = ("--size", "npu.sram")
    other = ("--size", "npu.sram", "--times", "3")


class TestMilliseconds(ReaderKit):
    def read(self, request):
        return reader.read(request)

    def write(self, graph, times):
        return "".join(f"{name} = {seconds * 1e3!r}\n" for name, seconds in times.items())


class TestOneFlow(CheckKit):
    name = "one-flow"


class TestThreads(ExecutorKit):
    has_workers = False  # a thread cannot die alone

    def make(self):
        return ThreadExecutor("3")
