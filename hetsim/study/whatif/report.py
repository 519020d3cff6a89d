"""What ``hetsim whatif`` leaves: ``whatif.json``, and all that people read, which is made from it.

Tables, charts and words are those of :mod:`hetsim.report.page.whatif`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hetsim.names import stems
from hetsim.report.figures.tornado import End, Swing, tornado_figure
from hetsim.report.files.jsonout import dumps, microseconds
from hetsim.report.files.whatiffile import NAME, SCHEMA, Change, Network, StudyFile
from hetsim.report.page.study import Page
from hetsim.report.page.whatif import brief_table, network_section, remarks
from hetsim.report.summary import tidy_time
from hetsim.study.result import Rows, Shown, Words, page_of, to_figures
from hetsim.study.whatif.result import WhatIf, noise, sentence
from hetsim.study.whatif.sensitivity import Effect, Sensitivity, moved_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "model", "scheduler", "parameter", "component", "now", "change", "factor", "base_us",
    "best_us", "shortest_us", "longest_us", "plan", "replanned_us", "kept_us", "verdict",
    "elasticity", "why", "error",
)  # fmt: skip
"""Header of ``whatif.csv``: a line per change."""


@page_of.register(WhatIf)
def _page(study: WhatIf) -> Page:
    told = read(study)
    return Page(
        f"what if: {study.scenario}",
        f"what-if · {study.scenario} on {study.soc} · {study.execution} execution"
        f" · {study.points} runs",
        headline(study),
        [
            network_section(network, told.soc, network.model, headed=len(told.networks) == 1)
            for network in told.networks
        ],
    )


def whatif_files(study: WhatIf) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory."""
    return _page(study), {NAME: dumps(whatif_to_dict(study)), "whatif.csv": _csv(study)}


def shown(study: WhatIf) -> Iterator[Shown]:
    """What the terminal shows: each network's ranking, remarks and sentence."""
    for network in read(study).networks:
        table = brief_table(network)
        title = (
            f"{network.model} · {network.scheduler} on {study.soc}: {network.judged_by}"
            f" {tidy_time(network.makespan_us / 1e6)}"
        )
        yield Rows(table.columns, [[str(c) for c in row] for row in table.rows], title, 2, (0,))
        yield Words()
        for line in remarks(network):
            yield Words(line, "dim")
        yield Words(network.sentence, "bold")


def read(study: WhatIf) -> StudyFile:
    """The study as whoever reads its file sees it."""
    return StudyFile.model_validate(whatif_to_dict(study))


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
        "schema": SCHEMA,
        "scenario": study.scenario,
        "soc": study.soc,
        "execution": study.execution,
        "networks": [
            {
                "model": n.model,
                "scheduler": n.scheduler,
                "judged_by": n.judged_by,
                "makespan_us": microseconds(n.base_s),
                "plan": n.plan,
                "own_us": microseconds(n.own_s),
                "lower_bound_us": microseconds(n.bound_s),
                "plans": n.plans,
                "usual_loss": round(n.loss, 9),
                "noise": noise(n),
                "attribution_us": {k: microseconds(v) for k, v in n.attribution_s.items()},
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


@to_figures.register(WhatIf)
def whatif_figures(study: WhatIf) -> dict[str, Figure]:
    """A tornado chart for each network."""
    networks = read(study).networks
    names = stems("tornado", [network.model for network in networks])
    return {names[network.model]: tornado(network) for network in networks}


def tornado(network: Network) -> Figure:
    """The tornado chart of one network, of what stands out, in the order of the table; ms."""
    swings = [
        Swing(f"{p.name} ({p.now})", *(None if c is None else _end(c) for c in p.sides))
        for p in network.of("told")
        if any(p.sides)
    ]
    return tornado_figure(
        swings, network.makespan_us / 1e3, label=f"{network.judged_by} (ms)",
        title=f"{network.model} · {network.scheduler}", width_in=5.5,
    )  # fmt: skip


def _end(change: Change) -> End | None:
    if change.best_us is None or change.shortest_us is None or change.longest_us is None:
        return None
    return End(
        change.best_us / 1e3, change.to, change.shortest_us / 1e3, change.longest_us / 1e3
    )  # fmt: skip


def _parameter(s: Sensitivity) -> dict[str, Any]:
    return {
        "name": s.knob.name,
        "component": s.knob.component,
        "now": s.knob.now,
        "better": s.knob.better,
        "verdict": s.verdict,
        "gain": round(s.gain, 9),
        "elasticity": None if s.elasticity is None else round(s.elasticity, 9),
        "changes": [_change(effect, s.base_s) for effect in s.effects],
    }


def _change(effect: Effect, base_s: float) -> dict[str, Any]:
    ratio = effect.ratio
    return {
        "to": effect.change.label,
        "set": dict(effect.change.values),
        "factor": effect.change.factor,
        "best_us": microseconds(effect.best_s),
        "shortest_us": microseconds(base_s / ratio.high) if ratio else None,
        "longest_us": microseconds(base_s / ratio.low) if ratio else None,
        "plan": effect.plan,
        "replanned_us": microseconds(effect.replanned_s),
        "kept_us": microseconds(effect.kept_s),
        "verdict": effect.verdict,
        "why": _why(effect, base_s),
        "moved": [
            {"unit": m.unit, "part": m.part, "us": microseconds(m.seconds)} for m in effect.moved
        ],
        "oddity": effect.oddity,
        "error": effect.error,
    }


def _why(effect: Effect, base_s: float) -> str:
    if effect.best_s is None or effect.verdict == "none":
        return ""
    return moved_text(effect.moved, effect.best_s - base_s)


def _csv(study: WhatIf) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for n in study.networks:
        for s in n.sensitivities:
            fixed = {
                "model": n.model, "scheduler": n.scheduler, "parameter": s.knob.name,
                "component": s.knob.component, "now": s.knob.now, "elasticity": s.elasticity,
                "base_us": microseconds(n.base_s),
            }  # fmt: skip
            for effect in s.effects:
                told = _change(effect, s.base_s)
                row = {**told, **fixed, "change": told["to"]}
                writer.writerow([row[name] for name in COLUMNS])
    return text.getvalue()
