"""What each parameter of the SoC is worth: every one lowered and raised, alone.

A scheduler may do worse on a better SoC, and that is no property of the SoC. So every SoC, the
unchanged one too, is judged by the best plan known for it: those made for it, and those made for
any other (:mod:`hetsim.study.pool`). What the scheduler may still have done to an effect is
its whisker (:mod:`hetsim.study.whatif.noise`). The *bottleneck* is the size (not the choice) whose
improvement gains most; relieving it and asking again tells where the bottleneck moves.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from hetsim.analysis.metrics.base import LEADS, Metric
from hetsim.analysis.metrics.registry import of_stream, told
from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.errors import ConfigError, Location
from hetsim.executors.base import Executor
from hetsim.executors.registry import places
from hetsim.executors.serial import SerialExecutor
from hetsim.names import suggest
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.study.base import Files, Study
from hetsim.study.compare.study import CompareStudy
from hetsim.study.point import PointBench
from hetsim.study.pool import Ask, PlanBench, Told, perform
from hetsim.study.result import Shown
from hetsim.study.whatif.knobs import Knob, knobs_of
from hetsim.study.whatif.network import network_whatif
from hetsim.study.whatif.report import headline, shown, whatif_files
from hetsim.study.whatif.result import WhatIf


class WhatIfStudy(Study[WhatIf]):
    """Find the bottleneck and what each hardware change would gain.

    Without --set and --variant, every parameter of the SoC that can change a time is lowered and
    raised, alone, and each SoC is judged by the best of all plans that were made for any of them.
    With them, the scenario as it is and its variants are compared side by side.
    """

    kind = "whatif"
    set_help = None  # it compares
    options = (
        *CompareStudy.options,
        click.Option(
            ["--only"], metavar="PART", multiple=True,
            help="Vary only this part of the SoC or these parameters: npu, npu.dma, bus.clock.",
        ),
        click.Option(
            ["--measure"], metavar="METRIC",
            help="The time that streams are judged by: latency_mean, camera.latency_p99, ..."
            "  [default: latency_p99]",
        ),
    )  # fmt: skip

    def __init__(
        self, scenario: Scenario, *, only: Sequence[str] = (), measure: str | None = None
    ) -> None:
        """``only`` are parts of the SoC (``npu``) or beginnings of knobs' names (``npu.dma``).

        ``measure`` is the time that streams are judged by, of all together or ``STREAM.METRIC``.

        Raises:
            ConfigError: there is no such metric of streams, it is no time, or there are no streams.
        """
        super().__init__(scenario)
        self.only = tuple(only)
        self.measure = _measure(scenario, measure)

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Either everything is varied or variants are compared."""
        varying = ("only", "measure", "workers", *places())
        if CompareStudy.is_asked(options) and any(options[name] for name in varying):
            raise click.UsageError(
                "--only, --measure, --workers and --dask belong to varying everything;"
                " --set and --variant compare"
            )

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> Study[Any]:
        """A comparison, if variants are given."""
        if CompareStudy.is_asked(options):
            return CompareStudy.asked(scenario, options)
        return cls(scenario, only=options["only"], measure=options["measure"])

    def question(self) -> object:
        """Which parts are varied, and by what they are judged."""
        return list(self.only) if self.scenario.service is None else [self.only, self.measure.name]

    def run(self, executor: Executor[Ask, Told], progress: Progress | None = None) -> WhatIf:
        """Varies every knob of the scenario's SoC, then again with each bottleneck relieved."""
        begun = time.perf_counter()
        scenario, only = self.scenario, self.only
        scenario.check_schedulers()
        points = PointBench.of(scenario)
        bench = PlanBench(points, self.measure.column)
        asked = 0

        def ask(asks: Iterable[Ask], what: str) -> list[Told]:
            nonlocal asked
            answers = perform(asks, bench, executor, progress, what)
            asked += sum(len(told.times) for told in answers)
            return answers

        def knobs_after(values: Mapping[str, object]) -> list[Knob]:
            return _chosen(knobs_of(varied(scenario, values)), only)

        knobs = _chosen(knobs_of(scenario), only)
        networks = tuple(
            network_whatif(points, subject, knobs, knobs_after, ask, self.measure)
            for subject in scenario.subjects
        )
        return WhatIf(
            scenario.name, scenario.soc.name, scenario.execution, networks, asked,
            time.perf_counter() - begun,
        )  # fmt: skip

    def report(self, result: WhatIf) -> tuple[Page, Files]:
        """The sensitivities, and a tornado chart for each network."""
        return whatif_files(result)

    def headline(self, result: WhatIf) -> str:
        """The bottleneck."""
        return headline(result)

    def shown(self, result: WhatIf) -> Iterator[Shown]:
        """Each network's ranking and sentences."""
        return shown(result)


def whatif(
    scenario: Scenario,
    *,
    only: Sequence[str] = (),
    measure: str | None = None,
    executor: Executor[Ask, Told] | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Varies every knob of the scenario's SoC, for each of its networks.

    Of several schedulers the one that is fastest on the unchanged SoC is used. ``only`` are
    parts of the SoC (``npu``) or beginnings of knobs' names (``npu.dma``) to stay with. Streams are
    judged all together by ``measure``, by default the 99th percentile of their latencies.

    Raises:
        ConfigError: ``only`` fits no knob, or ``measure`` no time that is measured here.
        InfeasibleError: a network does not fit the unchanged SoC.
        SchedulerError: no scheduler finds a plan for a network on the unchanged SoC.
    """
    with executor or SerialExecutor[Ask, Told]() as team:
        return WhatIfStudy(scenario, only=only, measure=measure).run(team, progress)


def _measure(scenario: Scenario, name: str | None) -> Metric:
    """The time that subjects of ``scenario`` are judged by."""
    service, where = scenario.service, Location("--measure")
    if service is None:
        if name is not None:
            raise ConfigError(
                f"scenario {scenario.name!r} has no streams, so a network is judged by the time"
                " that it takes", where=where,
            )  # fmt: skip
        return MAKESPAN
    stream, _, own = (name or LEADS[1]).rpartition(".")
    known = {
        word: metric
        for metric in told("record", served=True)
        if metric.dimension == "time" and metric.of_served is not None
        for word in sorted(metric.names)
    }
    streams = [found.name for found in service.streams]
    if own not in known or (stream and stream not in streams):
        says = (
            f"no stream is called {stream!r}" if own in known else f"{own!r} is no time of streams"
        )
        names = dict.fromkeys(metric.name for metric in known.values())
        hint = suggest(stream, streams) if own in known else suggest(own, names)
        raise ConfigError(says, where=where, hint=hint)
    return of_stream(known[own], stream) if stream else known[own]


def _chosen(knobs: Sequence[Knob], only: Sequence[str]) -> list[Knob]:
    chosen = [
        knob
        for knob in knobs
        if not only or any(knob.component == o or f"{knob.name}.".startswith(f"{o}.") for o in only)
    ]
    for wanted in only:
        if not any(k.component == wanted or f"{k.name}.".startswith(f"{wanted}.") for k in chosen):
            names = [*dict.fromkeys(k.component for k in knobs), *(k.name for k in knobs)]
            raise ConfigError(
                f"nothing to vary is called {wanted!r}", where=Location("--only"),
                hint=suggest(wanted, names),
            )  # fmt: skip
    return chosen
