"""What ``hetsim run`` does with single inferences, and what with streams of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hetsim.analysis.result import Result, Run
    from hetsim.analysis.serving.result import ServedResult, ServedRun
    from hetsim.executors.base import Executor
    from hetsim.progress import Progress
    from hetsim.report.files.kind import Kind
    from hetsim.scenario.loader import Scenario


class Way(ABC):
    """From a loaded scenario to its result, and from there to the terminal."""

    @property
    @abstractmethod
    def kind(self) -> Kind[Any]:
        """What is written about such results."""

    @abstractmethod
    def worth(self, scenario: Scenario) -> int:
        """How many processes pay off."""

    @abstractmethod
    def run(
        self, scenario: Scenario, plans: Sequence[Path], progress: Progress | None,
        executor: Executor[Any, Any] | None,
    ) -> Any:  # fmt: skip
        """Simulates everything that is asked for."""

    @abstractmethod
    def show(self, result: Any) -> None:
        """Prints the tables."""

    @abstractmethod
    def name(self, run: Any) -> str:
        """What errors call a run."""


class Single(Way):
    """Every network under every scheduler, one inference at a time."""

    @property
    def kind(self) -> Kind[Any]:
        from hetsim.report.files.single import SINGLE

        return SINGLE

    def worth(self, scenario: Scenario) -> int:
        from hetsim.runs.scenario import workers_worth

        return workers_worth(scenario)

    def run(
        self, scenario: Scenario, plans: Sequence[Path], progress: Progress | None,
        executor: Executor[Any, Any] | None,
    ) -> Result:  # fmt: skip
        from hetsim.runs.scenario import run_scenario

        return run_scenario(scenario, plans=plans, progress=progress, executor=executor)

    def show(self, result: Result) -> None:
        from rich.console import Console

        from hetsim.report.text.run import print_result

        print_result(result, Console())

    def name(self, run: Run) -> str:
        return f"{run.model} / {run.scheduler}"


class Streams(Way):
    """All streams together under every scheduler and dispatcher."""

    @property
    def kind(self) -> Kind[Any]:
        from hetsim.report.files.serving.kind import SERVED

        return SERVED

    def worth(self, scenario: Scenario) -> int:
        return 1

    def run(
        self, scenario: Scenario, plans: Sequence[Path], progress: Progress | None,
        executor: Executor[Any, Any] | None,
    ) -> ServedResult:  # fmt: skip
        from hetsim.runs.serving import run_service

        return run_service(scenario, progress)

    def show(self, result: ServedResult) -> None:
        from rich.console import Console

        from hetsim.report.text.served import print_served

        print_served(result, Console())

    def name(self, run: ServedRun) -> str:
        return run.label


def way_of(scenario: Scenario) -> Way:
    """The way that ``scenario`` asks for."""
    return Single() if scenario.service is None else Streams()
