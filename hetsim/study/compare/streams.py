"""Named variants of a scenario with streams side by side."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.executors.base import Executor
from hetsim.progress import Progress
from hetsim.report.files.jsonout import dumps
from hetsim.report.files.serving.jsonout import served_to_dict
from hetsim.report.files.serving.tables import streams_csv
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Table
from hetsim.report.serving import best_served, busy_shares, metric, stream_text, with_interval
from hetsim.report.summary import ranged_time, share_text
from hetsim.runs.serving import run_service
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.study.base import Files, Study
from hetsim.study.result import Rows, Shown, StudyResult, Words, page_of

TOLD = ("latency_mean", "latency_p50", "latency_p99", "latency_max", "throughput", "queue_max")
"""What the table of a stream tells of each variant, beside what it misses."""


@dataclass(frozen=True)
class ServedVariant:
    """A named variant: what it changes, and what came out."""

    name: str
    changes: Mapping[str, object]
    result: ServedResult = field(repr=False)

    @property
    def best(self) -> ServedRun | None:
        """The run that misses the least, of equals that of the least p99."""
        return best_served(self.result)


@dataclass(frozen=True)
class StreamsComparison(StudyResult):
    """Variants of one scenario; the first is the scenario as it is."""

    scenario: str
    variants: tuple[ServedVariant, ...]


class CompareStreamsStudy(Study[StreamsComparison]):
    """Compare named variants of a scenario with streams.

    All draw the same arrivals. It has no verb of its own: ``hetsim whatif`` compares when it is
    given variants.
    """

    kind = "compare"

    def __init__(
        self, scenario: Scenario, variants: Mapping[str, Mapping[str, object]], base: str
    ) -> None:
        """The scenario as it is, called ``base``, stands beside ``variants``, changes by path."""
        super().__init__(scenario)
        self.variants = variants
        self.base = base

    def question(self) -> object:
        """The variants."""
        return {name: dict(values) for name, values in self.variants.items()}

    def run(
        self, executor: Executor[Any, Any], progress: Progress | None = None
    ) -> StreamsComparison:
        """Runs each variant as ``hetsim run`` does, in this process."""
        prepared: list[tuple[str, Mapping[str, object], Scenario]]
        prepared = [(self.base, {}, self.scenario)]
        prepared += [(n, dict(c), varied(self.scenario, c)) for n, c in self.variants.items()]
        done = []
        for i, (name, changes, changed) in enumerate(prepared):

            def tell(what: str, at: int, of: int, i: int = i, name: str = name) -> None:
                if progress is not None:
                    progress(f"{name}: {what}", i * of + at, len(prepared) * of)

            done.append(ServedVariant(name, changes, run_service(changed, progress=tell)))
        return StreamsComparison(self.scenario.name, tuple(done))

    def report(self, result: StreamsComparison) -> tuple[Page, Files]:
        """A table of each stream, what each variant changes, all figures."""
        told = {
            "schema": "hetsim.compare-streams/1",
            "scenario": result.scenario,
            "variants": [
                {"name": v.name, "changes": dict(v.changes), "result": served_to_dict(v.result)}
                for v in result.variants
            ],
        }
        return _page(result), {"compare.json": dumps(told), "compare.csv": _csv(result)}

    def headline(self, result: StreamsComparison) -> str:
        """The best variant, and what it makes of the first stream with a deadline."""
        return headline(result)

    def shown(self, result: StreamsComparison) -> Iterator[Shown]:
        """The tables."""
        for table in tables(result):
            yield Rows(table.columns, table.rows, unbroken=(0,))
            yield Words()
        yield from super().shown(result)

    def failures(self, result: StreamsComparison) -> Sequence[str]:
        """Every run that failed."""
        return [
            f"error: {variant.name}: {run.label}: {run.error}"
            for variant in result.variants
            for run in variant.result.failed
        ]


def headline(comparison: StreamsComparison) -> str:
    """The best variant by what it misses, then by the p99 of all streams, beside the first."""
    known = [(v, run) for v in comparison.variants if (run := v.best) is not None]
    if not known:
        return "No variant runs."
    first = comparison.variants[0]
    variant, run = min(known, key=lambda pair: pair[1].merit or (inf, inf))
    own = first.best
    urgent = min(run.streams, key=lambda found: found.stream.deadline_s == inf)
    text = f"Best is {variant.name}: {ranged_time(run.metrics)} over all streams"
    if own is not None and variant is not first:
        text += f" ({ranged_time(own.metrics)} {first.name})"
    return f"{text}; {stream_text(urgent)}."


def tables(comparison: StreamsComparison) -> list[Table]:
    """A table for all streams together and one for each, a column per variant's best run."""
    best = [(v, v.best) for v in comparison.variants]
    known = [run for _, run in best if run is not None]
    if not known:
        return []
    heads = [variant.name for variant, _ in best]
    rows = [["run", *("failed" if run is None else run.label for _, run in best)]]
    for name in busy_shares(known[0]):
        shares = [None if run is None else busy_shares(run).get(name) for _, run in best]
        rows.append([f"busy: {name}", *("–" if s is None else share_text(s) for s in shares)])
    whole = [None if run is None else run.metrics for _, run in best]
    found = [Table(["all streams", *heads], [*_rows(whole), *rows])]
    for i, stream in enumerate(known[0].streams):
        own = [None if run is None else run.streams[i].metrics for _, run in best]
        found.append(Table([stream.stream.name, *heads], _rows(own)))
    return found


def _rows(each: Sequence[Mapping[str, float | None] | None]) -> list[list[str]]:
    rows = []
    for name in (*TOLD, "miss_rate"):
        about = metric(name)
        cells = ["–" if v is None else with_interval(about, v) for v in each]
        if any(v is not None and v.get(about.column) is not None for v in each):
            rows.append([about.title, *cells])
    return rows


@page_of.register(StreamsComparison)
def _page(comparison: StreamsComparison) -> Page:
    sections = [Section(table.columns[0], table=table) for table in tables(comparison)]
    changes = [
        [v.name, ", ".join(f"{path} = {value}" for path, value in v.changes.items()) or "–"]
        for v in comparison.variants
    ]
    sections.append(Section("Variants", table=Table(["variant", "changes"], changes)))
    return Page(
        f"variants of {comparison.scenario}",
        f"comparison of streams · {comparison.scenario} · {len(comparison.variants)} variants",
        headline(comparison),
        sections,
    )


def _csv(comparison: StreamsComparison) -> str:
    """The streams' tables of all variants, one below the other, with a column for the variant."""
    text, heads = io.StringIO(), None
    writer = csv.writer(text, lineterminator="\n")
    for variant in comparison.variants:
        head, *rows = csv.reader(io.StringIO(streams_csv(variant.result)))
        if heads is None:
            heads = head
            writer.writerow(["variant", *head])
        writer.writerows([variant.name, *row] for row in rows)
    return text.getvalue()
