"""Named variants of a scenario side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from hetsim.errors import ConfigError, Location
from hetsim.executors.base import Executor
from hetsim.executors.serial import SerialExecutor
from hetsim.overrides import split_assignment
from hetsim.progress import Progress
from hetsim.report.page.study import Page
from hetsim.runs.rows import case_of
from hetsim.runs.scenario import run_scenario
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.study.axes import split_list
from hetsim.study.base import Files, Study
from hetsim.study.compare.report import compare_files, headline, table
from hetsim.study.compare.result import Comparison, Variant
from hetsim.study.compare.streams import CompareStreamsStudy, StreamsComparison
from hetsim.study.point import PointBench
from hetsim.study.pool import EQUAL, Pool, best_of
from hetsim.study.result import Rows, Shown, Words
from hetsim.study.subject import seconds_of

BASE = "as it is"
"""What the unchanged scenario is called."""

Variants = Mapping[str, Mapping[str, object]]
"""Changes by path, by the name of the variant."""


class CompareStudy(Study[Comparison]):
    """Compare named variants of a scenario.

    It has no verb of its own: ``hetsim whatif`` compares when it is given variants.
    """

    kind = "compare"
    options = (
        click.Option(
            ["--set", "changes"], metavar="PATH=VALUE", multiple=True,
            help="Compare the scenario with this change; several make one variant: bus.clock=2x.",
        ),
        click.Option(
            ["--variant", "variants"], metavar="'NAME: PATH=VALUE, ...'", multiple=True,
            help="Compare the scenario with this named variant; may be repeated.",
        ),
    )  # fmt: skip

    def __init__(self, scenario: Scenario, variants: Variants) -> None:
        """The scenario as it is stands beside ``variants``.

        Raises:
            ConfigError: there are none, or one has the name of the unchanged scenario.
        """
        super().__init__(scenario)
        if not variants:
            raise ConfigError("there is nothing to compare", where=Location("--variant"))
        if BASE in variants:
            raise ConfigError(f"a variant cannot be called {BASE!r}", where=Location("--variant"))
        self.variants = variants

    @classmethod
    def is_asked(cls, options: Mapping[str, Any]) -> bool:
        """Whether options name a variant."""
        return any(cls.own(options).values())

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> Study[Any]:
        """All ``--set`` make one variant, each ``--variant`` makes one."""
        asked: dict[str, dict[str, object]] = {}
        if options["changes"]:
            asked["changed"] = dict(split_assignment(change) for change in options["changes"])
        for text in options["variants"]:
            name, values = parse_variant(text)
            if name in asked:
                raise ConfigError(f"two variants are called {name!r}", where=Location("--variant"))
            asked[name] = values
        return comparing(scenario, asked)

    def question(self) -> object:
        """The variants."""
        return {name: dict(values) for name, values in self.variants.items()}

    def run(self, executor: Executor[Any, Any], progress: Progress | None = None) -> Comparison:
        """Runs each variant as ``hetsim run`` does, in this process, then each other's plans."""
        scenario = self.scenario
        prepared = {BASE: scenario}
        for name, changes in self.variants.items():
            prepared[name] = varied(scenario, changes)
        done = []
        for i, (name, changed) in enumerate(prepared.items()):

            def tell(what: str, at: int, of: int, i: int = i, name: str = name) -> None:
                if progress is not None:
                    progress(f"{name}: {what}", i * of + at, len(prepared) * of)

            result = run_scenario(changed, progress=tell)
            done.append(Variant(name, self.variants.get(name, {}), result))
        return Comparison(scenario.name, tuple(_sharing(scenario, prepared, done)))

    def report(self, result: Comparison) -> tuple[Page, Files]:
        """A table and stacked Gantt charts for each network."""
        return compare_files(result)

    def headline(self, result: Comparison) -> str:
        """The fastest variant of each network."""
        return headline(result)

    def shown(self, result: Comparison) -> Iterator[Shown]:
        """The table of each network."""
        for model in result.models:
            found = table(result, model)
            yield Rows(found.columns, found.rows, result.scenario, unbroken=(0,))
            yield Words()
        yield Words(headline(result))

    def failures(self, result: Comparison) -> Sequence[str]:
        """Every run that failed."""
        return [
            f"error: {variant.name}: {run.model} / {run.scheduler}: {run.error}"
            for variant, run in result.failed
        ]


def comparing(scenario: Scenario, variants: Variants) -> Study[Any]:
    """The study that compares ``variants`` of single inferences, or of streams.

    Raises:
        ConfigError: see :class:`CompareStudy`.
    """
    study = CompareStudy(scenario, variants)
    return study if scenario.service is None else CompareStreamsStudy(scenario, variants, BASE)


def _sharing(
    scenario: Scenario, prepared: Mapping[str, Scenario], variants: Sequence[Variant]
) -> list[Variant]:
    """The variants with the best of all plans that were made for any of them.

    A scheduler may do worse on a better SoC; that is no property of the SoC.
    """
    bench = PointBench.of(scenario)
    shared = list(variants)
    for model in (ref.label for ref in scenario.models):
        pool = Pool()
        for variant in variants:
            for run in variant.result.runs:
                if run.model == model and run.plan is not None:
                    pool.add((run.plan,), f"{run.scheduler}, plan of {variant.name}")
        for i, variant in enumerate(shared):
            changed = prepared[variant.name]
            case = case_of(changed, bench.graph_of(changed, model))
            times = [None if case.misfit else seconds_of(case, made[0]) for made in pool.plans]
            best, own = best_of(times), variant.best(model)
            if best is None:
                continue
            if own is None or (times[best] or 0.0) * EQUAL < (own.makespan_s or 0.0):
                run = case.evaluate(pool.origins[best], pool.plans[best][0])
                shared[i] = replace(variant, borrowed={**variant.borrowed, model: run})
    return shared


def parse_variant(text: str) -> tuple[str, dict[str, object]]:
    """Reads ``NAME: PATH=VALUE, PATH=VALUE``.

    Raises:
        ConfigError: no name, no change, or something that is not a change.
    """
    where = Location("--variant")
    name, colon, changes = text.partition(":")
    items = [item for item in split_list(changes) if item]
    if not colon or not name.strip() or "=" in name or not items:
        raise ConfigError(
            f"{text!r} is not a variant", where=where,
            hint="write it like 'big sram: npu.sram=2x, bus.clock=100MHz'",
        )  # fmt: skip
    return name.strip(), dict(split_assignment(item) for item in items)


def compare(
    scenario: Scenario, variants: Variants, *, progress: Progress | None = None
) -> Comparison | StreamsComparison:
    """Runs the scenario as it is, then every variant, all networks under all schedulers.

    Of a scenario with streams every variant runs these.

    Raises:
        ConfigError: a change that leads nowhere; nothing has run then.
        HetsimError: an input that cannot be used; a network that does not fit a variant.
    """
    found: Comparison | StreamsComparison = comparing(scenario, variants).run(
        SerialExecutor(), progress
    )
    return found
