"""Everything this package adds keeps what hetsim promises of it."""

from hetsim_example import reader
from hetsim_example.costs import FreePooling
from hetsim_example.executor import ThreadExecutor

from hetsim.cost.analytical import AnalyticalModel
from hetsim.testing import CostModelKit, ExecutorKit, ReaderKit, SchedulerKit


class TestByKind(SchedulerKit):
    name = "by_kind"


class TestByKindWithHandicap(SchedulerKit):
    name = "by_kind"
    parameters = {"handicap_us": 500.0}
    problems = 10


class TestFreePooling(CostModelKit):
    def make(self, soc, graphs):
        return FreePooling(AnalyticalModel())


class TestMilliseconds(ReaderKit):
    def read(self, request):
        return reader.read(request)

    def write(self, graph, times):
        return "".join(f"{name} = {seconds * 1e3!r}\n" for name, seconds in times.items())


class TestThreads(ExecutorKit):
    has_workers = False  # a thread cannot die alone

    def make(self):
        return ThreadExecutor("3")
