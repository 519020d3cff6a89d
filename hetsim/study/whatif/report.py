"""What ``hetsim whatif`` leaves: the sensitivities as a page, CSV, JSON and tornado charts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hetsim.names import stems
from hetsim.report.figures.plotting import figure_images
from hetsim.report.figures.tornado import Swing, tornado_figure
from hetsim.report.files.jsonout import dumps, microseconds
from hetsim.report.page.study import Page, Picture, Section
from hetsim.report.page.tables import Table
from hetsim.report.summary import tidy_time
from hetsim.study.result import html_sentence, html_table, to_figures, to_html
from hetsim.study.whatif.result import NetworkWhatIf, WhatIf, sentence
from hetsim.study.whatif.sensitivity import NOTICED, Effect, Sensitivity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "model", "scheduler", "parameter", "component", "now", "change", "factor", "base_us",
    "replanned_us", "kept_us", "gain", "elasticity", "error",
)  # fmt: skip
"""Header of ``whatif.csv``: a line per change."""


def tornado(network: NetworkWhatIf, limit: int = 16) -> Figure:
    """The tornado chart of one network: bars planned anew, marks with the plan kept; ms."""

    def ms(seconds: float | None) -> float | None:
        return None if seconds is None else seconds * 1e3

    swings = []
    for s in network.sensitivities:
        if s.swing <= NOTICED or (s.less is None and s.more is None):
            continue
        low, high = s.less, s.more
        swings.append(
            Swing(
                f"{s.knob.name} ({s.knob.now})",
                ms(low.anew.makespan_s) if low else None,
                ms(high.anew.makespan_s) if high else None,
                low.change.label if low else "",
                high.change.label if high else "",
                ms(low.kept.makespan_s) if low else None,
                ms(high.kept.makespan_s) if high else None,
            )
        )
    return tornado_figure(
        swings, network.base_s * 1e3, label="time per inference (ms)",
        title=f"{network.model} · {network.scheduler}", limit=limit, width_in=5.5,
    )  # fmt: skip


def critical_path(network: NetworkWhatIf) -> str:
    """Where the time of the unchanged SoC goes, largest part first."""
    parts = {k: v for k, v in network.base.attribution_s.items() if v > 0}
    order = sorted(parts, key=lambda name: (-parts[name], name))
    text = ", ".join(f"{n.replace('_', ' ')} {parts[n] / network.base_s:.0%}" for n in order)
    return f"Along the critical path: {text}." if text else ""


def ranking(network: NetworkWhatIf) -> Table:
    """The ranked table, without the parameters that change nothing."""
    rows = [_cells(s) for s in network.sensitivities if s.swing > NOTICED]
    columns = ("parameter", "now", "less", "more or other", "saves", "elast.")
    return Table(columns, rows)


def unchanged(network: NetworkWhatIf) -> str:
    """The parameters that change nothing, and the changes that could not run."""
    idle = [s.knob.name for s in network.sensitivities if s.swing <= NOTICED and _ran(s)]
    text = f"Without noticeable effect: {', '.join(idle)}." if idle else ""
    for s in network.sensitivities:
        for effect in s.effects:
            if effect.error is not None:
                reason = effect.error.partition("\n")[0]
                text += f" Not possible: {s.knob.name} = {effect.change.label} ({reason})."
    return text.strip()


def whatif_files(study: WhatIf) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    files: dict[str, str | bytes] = {
        "whatif.json": dumps(whatif_to_dict(study)),
        "whatif.csv": _csv(study),
    }
    sections = []
    names = stems("tornado", [network.model for network in study.networks])
    for network in study.networks:
        svg, png = figure_images(tornado(network))
        stem = names[network.model]
        files |= {f"{stem}.svg": svg, f"{stem}.png": png}
        caption = "Each parameter lowered and raised alone, the schedule planned anew."
        text = [line for line in (sentence(network, study.soc), critical_path(network)) if line]
        text += [line for line in (unchanged(network),) if line]
        sections.append(Section(network.model, text, [Picture(svg, caption)], ranking(network)))
    page = Page(
        f"what if: {study.scenario}",
        f"what-if · {study.scenario} on {study.soc} · {study.execution} execution"
        f" · {study.points} runs",
        headline(study),
        sections,
    )
    return page, files


def headline(study: WhatIf) -> str:
    """The answer in a sentence: of the only network, or how often each part is in the way."""
    if len(study.networks) == 1:
        return sentence(study.networks[0], study.soc)
    blamed: dict[str, list[str]] = {}
    for network in study.networks:
        part = network.relief.sensitivity.knob.component if network.relief else "nothing"
        blamed.setdefault(part, []).append(network.model)
    order = sorted(blamed, key=lambda part: -len(blamed[part]))
    parts = "; ".join(f"{part} of {', '.join(blamed[part])}" for part in order)
    return f"On {study.soc} the bottleneck is {parts}."


def whatif_to_dict(study: WhatIf) -> dict[str, Any]:
    """The study as plain JSON values; times in µs."""
    return {
        "schema": "hetsim.whatif/1",
        "scenario": study.scenario,
        "soc": study.soc,
        "execution": study.execution,
        "networks": [
            {
                "model": n.model,
                "scheduler": n.scheduler,
                "makespan_us": microseconds(n.base_s),
                "attribution_us": {k: microseconds(v) for k, v in n.base.attribution_s.items()},
                "sentence": sentence(n, study.soc),
                "bottleneck": n.relief.sensitivity.knob.name if n.relief else None,
                "relieved_us": microseconds(n.relief.effect.best_s) if n.relief else None,
                "next_bottleneck": n.relief.following.knob.name
                if n.relief and n.relief.following
                else None,
                "parameters": [_parameter(s) for s in n.sensitivities],
            }
            for n in study.networks
        ],
    }


@to_html.register(WhatIf)
def whatif_html(study: WhatIf) -> str:
    """The tables and sentences for a notebook."""
    return "".join(
        html_sentence(sentence(network, study.soc)) + html_table(ranking(network))
        for network in study.networks
    )


@to_figures.register(WhatIf)
def whatif_figures(study: WhatIf) -> dict[str, Figure]:
    """A tornado chart for each network."""
    names = stems("tornado", [network.model for network in study.networks])
    return {names[network.model]: tornado(network) for network in study.networks}


def _ran(sensitivity: Sensitivity) -> bool:
    return any(effect.best_s is not None for effect in sensitivity.effects)


def _cells(s: Sensitivity) -> tuple[str, ...]:
    return (
        s.knob.name,
        s.knob.now,
        _effect_text(s.less),
        ", ".join(_effect_text(e) for e in (s.more, *s.alternatives) if e is not None),
        f"{1 - 1 / s.gain:.1%}" if s.gain > 1 + NOTICED else "–",
        "–" if s.elasticity is None else f"{s.elasticity:+.2f}",
    )


def _effect_text(effect: Effect | None) -> str:
    """``512 KiB: 12.3 ms``, and the time with the plan kept where it differs."""
    if effect is None:
        return ""
    anew, kept = effect.anew.makespan_s, effect.kept.makespan_s
    if anew is None and kept is None:
        return f"{effect.change.label}: not possible"
    text = "–" if anew is None else tidy_time(anew, 3)
    if kept is not None and (anew is None or abs(kept - anew) > NOTICED * kept):
        text += f" (kept {tidy_time(kept, 3)})"
    return f"{effect.change.label}: {text}"


def _parameter(s: Sensitivity) -> dict[str, Any]:
    return {
        "name": s.knob.name,
        "component": s.knob.component,
        "now": s.knob.now,
        "gain": round(s.gain, 9),
        "elasticity": None if s.elasticity is None else round(s.elasticity, 9),
        "changes": [
            {
                "to": effect.change.label,
                "set": dict(effect.change.values),
                "factor": effect.change.factor,
                "replanned_us": microseconds(effect.anew.makespan_s),
                "kept_us": microseconds(effect.kept.makespan_s),
                "error": effect.error,
            }
            for effect in s.effects
        ],
    }


def _csv(study: WhatIf) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for network in study.networks:
        for s in network.sensitivities:
            writer.writerows(_lines(network, s))
    return text.getvalue()


def _lines(network: NetworkWhatIf, s: Sensitivity) -> Iterator[tuple[object, ...]]:
    for effect in s.effects:
        yield (
            network.model, network.scheduler, s.knob.name, s.knob.component, s.knob.now,
            effect.change.label, effect.change.factor, microseconds(network.base_s),
            microseconds(effect.anew.makespan_s), microseconds(effect.kept.makespan_s),
            round(s.gain, 9), s.elasticity, effect.error,
        )  # fmt: skip
