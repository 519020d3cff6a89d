"""What-if studies inside a run's report: sections made from the ``whatif.json`` of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from hetsim.analysis.result import Result
from hetsim.errors import ResultsError
from hetsim.records import Record, read_record
from hetsim.report.figures.plotting import figure_images
from hetsim.report.figures.tornado import Swing, tornado_figure
from hetsim.report.page.study import Picture, Section
from hetsim.report.page.tables import Table
from hetsim.report.summary import tidy_time

SCHEMA = "hetsim.whatif/1"
NAME = "whatif.json"
_NOTICED = 1e-3
"""Parameters whose changes move the makespan by a smaller share are left out."""

Microseconds = Annotated[float, Field(ge=0)]


class _Read(Record):
    model_config = ConfigDict(extra="ignore")  # the study says more than a report shows


class Change(_Read):
    """A parameter changed, ``factor`` times where that is a number, and what came of it."""

    factor: float | None
    to: str
    replanned_us: Microseconds | None
    kept_us: Microseconds | None


class Parameter(_Read):
    """A parameter and its changes; ``gain`` is the best speed-up."""

    name: str
    now: str
    gain: float
    elasticity: float | None
    changes: list[Change]


class Network(_Read):
    """What was found out for one network."""

    model: str
    scheduler: str
    sentence: str
    makespan_us: Annotated[float, Field(gt=0)]
    parameters: list[Parameter]


class StudyFile(_Read):
    """What is read of ``whatif.json``."""

    scenario: str
    soc: str
    networks: list[Network]


def whatif_sections(place: Path, result: Result) -> tuple[Section, ...]:
    """One section per network of the study in ``place`` (a directory, or its ``whatif.json``).

    ``result`` is what the report is about; a study that started from other times says so.

    Raises:
        ResultsError: no such study, damaged, of another version, or of another scenario.
    """
    path = place / NAME if place.is_dir() else place
    if not path.exists():
        raise ResultsError(
            f"{path} is missing", hint="name a directory that 'hetsim whatif' has written"
        )
    study = read_record(path, StudyFile, schema=SCHEMA)
    if study.scenario != result.scenario:
        raise ResultsError(
            f"{path} is about scenario {study.scenario!r}, the result about {result.scenario!r}"
        )
    return tuple(_section(network, study.soc, result) for network in study.networks)


def _section(network: Network, soc: str, result: Result) -> Section:
    base = network.makespan_us
    telling = [p for p in network.parameters if _swing(p, base) > _NOTICED]
    text = [
        network.sentence,
        f"Every parameter of {soc} was lowered and raised alone, {network.scheduler} planning"
        " anew; marks and brackets tell what the unchanged plan would give.",
    ]
    run = result.find(network.model, network.scheduler)
    here = None if run is None else run.makespan_s
    if here is not None and abs(here * 1e6 - base) > 1e-6 * base:
        text.append(
            f"The study started from {tidy_time(base / 1e6)}, this result says {tidy_time(here)}:"
            " they were not made from the same inputs."
        )
    idle = [p.name for p in network.parameters if _swing(p, base) <= _NOTICED]
    if idle:
        text.append(f"Without noticeable effect: {', '.join(idle)}.")
    pictures = []
    if telling:
        title = f"{network.model} · {network.scheduler}"
        figure = tornado_figure(
            [_bar(p) for p in telling], base / 1e3, label="time per inference (ms)", title=title,
            limit=12, width_in=5.5,
        )  # fmt: skip
        caption = f"What the parameters of {soc} are worth to {network.model}."
        pictures.append(Picture(figure_images(figure)[0], caption))
    columns = ("parameter", "now", "less", "more or other", "saves", "elasticity")
    rows = [_cells(p) for p in telling]
    return Section(f"What if: {network.model}", text, pictures, Table(columns, rows))


def _swing(parameter: Parameter, base: float) -> float:
    times = [base]
    for change in parameter.changes:
        times += [us for us in (change.replanned_us, change.kept_us) if us is not None]
    return (max(times) - min(times)) / base


def _sides(parameter: Parameter) -> tuple[Change | None, Change | None, Sequence[Change]]:
    """The change to less, that to more, and those that are neither."""
    changes = parameter.changes
    less = next((c for c in changes if c.factor is not None and c.factor < 1), None)
    more = next((c for c in changes if c.factor is not None and c.factor > 1), None)
    return less, more, [c for c in changes if c is not less and c is not more]


def _bar(parameter: Parameter) -> Swing:
    less, more, _ = _sides(parameter)

    def ms(us: float | None) -> float | None:
        return None if us is None else us / 1e3

    return Swing(
        f"{parameter.name} ({parameter.now})",
        ms(less.replanned_us if less else None),
        ms(more.replanned_us if more else None),
        less.to if less else "",
        more.to if more else "",
        ms(less.kept_us if less else None),
        ms(more.kept_us if more else None),
    )


def _cells(parameter: Parameter) -> tuple[str, ...]:
    less, more, others = _sides(parameter)
    gain, elasticity = parameter.gain, parameter.elasticity
    return (
        parameter.name,
        parameter.now,
        _told(less),
        ", ".join(_told(c) for c in (more, *others) if c is not None),
        f"{1 - 1 / gain:.1%}" if gain > 1 + _NOTICED else "–",
        "–" if elasticity is None else f"{elasticity:+.2f}",
    )


def _told(change: Change | None) -> str:
    if change is None:
        return ""
    anew, kept = change.replanned_us, change.kept_us
    if anew is None and kept is None:
        return f"{change.to}: not possible"
    text = "–" if anew is None else tidy_time(anew / 1e6, 3)
    if kept is not None and (anew is None or abs(kept - anew) > _NOTICED * kept):
        text += f" (kept {tidy_time(kept / 1e6, 3)})"
    return f"{change.to}: {text}"
