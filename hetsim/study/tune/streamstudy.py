"""The tuning study of a scenario with streams: a plan for each, found together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from hetsim.executors.base import Executor
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import ALL_STREAMS
from hetsim.study.base import Files, Study
from hetsim.study.result import Rows, Shown, Words
from hetsim.study.tune.crew import Crew, JointBench, TuneAnswer, TuneJob
from hetsim.study.tune.rounds import Effort, grounds_of
from hetsim.study.tune.state import resumed
from hetsim.study.tune.streamreport import COLUMNS, files, headline, objective_rows, start_rows
from hetsim.study.tune.streamresult import StreamTuning
from hetsim.study.tune.streams import StreamSearch

EVALUATIONS = 2000
"""Plans that are judged by default: each takes a simulation of many inferences."""


class StreamTuneStudy(Study[StreamTuning]):
    """Search for plans of all streams together, contention included."""

    kind = "tune"

    def __init__(
        self,
        scenario: Scenario,
        objective: str = "latency",
        effort: Effort | None = None,
        *,
        horizon_s: float | None = None,
        state: Path | None = None,
        resume: bool = False,
    ) -> None:
        """``horizon_s`` is how long the streams run for a judgement; by itself, long enough."""
        super().__init__(scenario)
        self.objective = objective
        self.budget = effort or Effort(EVALUATIONS)
        self.horizon_s = horizon_s
        self.state = state
        self.resume = resume

    def question(self) -> object:
        """What is tuned for; with more effort it is the same question."""
        document = self.scenario.document
        streams = [document.get(("streams",)), document.get(("serve",))]
        return {"objective": self.objective, "horizon": self.horizon_s, "streams": streams}

    def run(
        self, executor: Executor[TuneJob, TuneAnswer], progress: Progress | None = None
    ) -> StreamTuning:
        """Searches; Ctrl-C ends it early.

        Raises:
            ConfigError: an objective that these streams or this SoC do not have.
            PlanError: streams for which no scheduler finds plans.
            ResultsError: a state file that cannot be used or written; a worker that died.
        """
        begun = time.perf_counter()
        scenario, tell = self.scenario, progress or (lambda *_: None)
        search = StreamSearch(
            scenario, self.objective, self.horizon_s, self.budget, self.state, tell
        )
        search.state = resumed(self.state, search.state, resume=self.resume)
        crew = Crew(JointBench(search.together), executor)
        search.check(crew.bench)
        before, interrupted = search.judged, False
        try:
            search.search(crew, 0, ALL_STREAMS)
        except KeyboardInterrupt:
            if not search.state.models:
                raise
            interrupted = True
        state = search.state.models[ALL_STREAMS]
        start, plans = search.found(grounds_of(crew.bench, 0))
        runs = [
            search.judged_again(which, fresh=fresh)
            for fresh in (False, True)
            for which in (start, plans)
        ]
        return StreamTuning(
            scenario.name, scenario.soc.name, scenario.seed, self.objective,
            search.together.dispatcher.label, search.together.mix.service.duration_s,
            state.starts, plans, runs[0], runs[1], (runs[2], runs[3]),
            state.campaign.evaluations, state.campaign.rounds, state.campaign.curve,
            interrupted, time.perf_counter() - begun, search.judged - before,
        )  # fmt: skip

    def report(self, result: StreamTuning) -> tuple[Page, Files]:
        """Plans, what they are worth, the curve."""
        return files(result)

    def headline(self, result: StreamTuning) -> str:
        """What was gained."""
        return headline(result)

    def shown(self, result: StreamTuning) -> Iterator[Shown]:
        """What it started from, and what the tuned plans are worth by every objective."""
        yield Rows(("plans to start from", "worth", ""), start_rows(result), left=1)
        yield Rows(COLUMNS, objective_rows(result), left=1)
        rate = f", {result.judged / result.wall_s:,.0f} a second" if result.wall_s else ""
        yield Words(f"\n{result.judged:,} plans judged in {result.wall_s:.1f} s{rate}\n")
        yield from super().shown(result)

    def failures(self, result: StreamTuning) -> list[str]:
        """That somebody stopped it."""
        return ["interrupted; go on with --resume"] if result.interrupted else []

    def exit_code(self, result: StreamTuning) -> int:
        """As any program that was interrupted."""
        return 130 if result.interrupted else 0
