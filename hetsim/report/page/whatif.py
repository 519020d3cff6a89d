"""What-if studies inside a run's report: sections made from the ``whatif.json`` of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hetsim.analysis.result import Result
from hetsim.errors import ResultsError
from hetsim.report.figures.plotting import figure_images
from hetsim.report.figures.tornado import Swing, tornado_figure
from hetsim.report.page.study import Picture, Section, Table
from hetsim.report.summary import tidy_time

SCHEMA = "hetsim.whatif/1"
NAME = "whatif.json"
_NOTICED = 1e-3
"""Parameters whose changes move the makespan by a smaller share are left out."""

Entry = Mapping[str, Any]


def whatif_sections(place: Path, result: Result) -> tuple[Section, ...]:
    """One section per network of the study in ``place`` (a directory, or its ``whatif.json``).

    ``result`` is what the report is about; a study that started from other times says so.

    Raises:
        ResultsError: no such study, damaged, of another version, or of another scenario.
    """
    path = place / NAME if place.is_dir() else place
    try:
        study = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(
            f"{path} is missing", hint="name a directory that 'hetsim whatif' has written"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} is damaged: {error}") from None
    found = study.get("schema") if isinstance(study, dict) else None
    if found != SCHEMA:
        raise ResultsError(f"{path} has format {found!r}; this hetsim reads {SCHEMA!r}")
    try:
        if study["scenario"] != result.scenario:
            raise ResultsError(
                f"{path} is about scenario {study['scenario']!r}, the result about"
                f" {result.scenario!r}"
            )
        return tuple(_section(network, study["soc"], result) for network in study["networks"])
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{path} is damaged: {type(error).__name__} {error}") from None


def _section(network: Entry, soc: str, result: Result) -> Section:
    base = float(network["makespan_us"])
    telling = [p for p in network["parameters"] if _swing(p, base) > _NOTICED]
    text = [
        str(network["sentence"]),
        f"Every parameter of {soc} was lowered and raised alone, {network['scheduler']} planning"
        " anew; marks and brackets tell what the unchanged plan would give.",
    ]
    run = result.find(network["model"], network["scheduler"])
    here = None if run is None else run.makespan_s
    if here is not None and abs(here * 1e6 - base) > 1e-6 * base:
        text.append(
            f"The study started from {tidy_time(base / 1e6)}, this result says {tidy_time(here)}:"
            " they were not made from the same inputs."
        )
    idle = [str(p["name"]) for p in network["parameters"] if _swing(p, base) <= _NOTICED]
    if idle:
        text.append(f"Without noticeable effect: {', '.join(idle)}.")
    pictures = []
    if telling:
        title = f"{network['model']} · {network['scheduler']}"
        figure = tornado_figure(
            [_bar(p) for p in telling], base / 1e3, label="time per inference (ms)", title=title,
            limit=12, width_in=5.5,
        )  # fmt: skip
        caption = f"What the parameters of {soc} are worth to {network['model']}."
        pictures.append(Picture(figure_images(figure)[0], caption))
    columns = ("parameter", "now", "less", "more or other", "saves", "elasticity")
    rows = [_cells(p) for p in telling]
    return Section(f"What if: {network['model']}", text, pictures, Table(columns, rows))


def _swing(parameter: Entry, base: float) -> float:
    times = [base]
    for change in parameter["changes"]:
        times += [change[k] for k in ("replanned_us", "kept_us") if change[k] is not None]
    return (max(times) - min(times)) / base


def _sides(parameter: Entry) -> tuple[Entry | None, Entry | None, Sequence[Entry]]:
    """The change to less, that to more, and those that are neither."""
    changes = parameter["changes"]
    less = next((c for c in changes if c["factor"] is not None and c["factor"] < 1), None)
    more = next((c for c in changes if c["factor"] is not None and c["factor"] > 1), None)
    return less, more, [c for c in changes if c is not less and c is not more]


def _bar(parameter: Entry) -> Swing:
    less, more, _ = _sides(parameter)

    def ms(change: Entry | None, key: str) -> float | None:
        return None if change is None or change[key] is None else change[key] / 1e3

    return Swing(
        f"{parameter['name']} ({parameter['now']})",
        ms(less, "replanned_us"),
        ms(more, "replanned_us"),
        less["to"] if less else "",
        more["to"] if more else "",
        ms(less, "kept_us"),
        ms(more, "kept_us"),
    )


def _cells(parameter: Entry) -> tuple[str, ...]:
    less, more, others = _sides(parameter)
    gain, elasticity = float(parameter["gain"]), parameter["elasticity"]
    return (
        str(parameter["name"]),
        str(parameter["now"]),
        _told(less),
        ", ".join(_told(c) for c in (more, *others) if c is not None),
        f"{1 - 1 / gain:.1%}" if gain > 1 + _NOTICED else "–",
        "–" if elasticity is None else f"{elasticity:+.2f}",
    )


def _told(change: Entry | None) -> str:
    if change is None:
        return ""
    anew, kept = change["replanned_us"], change["kept_us"]
    if anew is None and kept is None:
        return f"{change['to']}: not possible"
    text = "–" if anew is None else tidy_time(anew / 1e6, 3)
    if kept is not None and (anew is None or abs(kept - anew) > _NOTICED * kept):
        text += f" (kept {tidy_time(kept / 1e6, 3)})"
    return f"{change['to']}: {text}"
