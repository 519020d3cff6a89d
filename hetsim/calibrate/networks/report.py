"""What an assessment says, as tables for people and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hetsim.calibrate.networks.assess import Assessment
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.judge import Judged, Score, plain_number, score
from hetsim.calibrate.networks.sureness import covered, sureness
from hetsim.cost.measured.table import Doubt
from hetsim.soc.uncertainty import LEVEL

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = "hetsim.calibration-networks/1"

GROUPS: Mapping[str, Callable[[MeasuredNetwork], str]] = {
    "precision": lambda case: case.precision.group,
    "device": lambda case: f"{case.device}, {case.precision.group}",
    "class": lambda case: case.kind,
    "runtime": lambda case: case.row.runtime or "not told",
}
"""What errors are told by, beside all together."""


def summary(found: Assessment) -> list[str]:
    """What was read and what became of it, in a few lines."""
    networks = {case.row.network for case in found.cases.cases}
    devices = {case.device for case in found.used}
    families = {case.family for case in found.used}
    disputed = sum(case.disputed for case in found.used)
    copied = sum(case.row.device in found.agreement.copies for case in found.cases.cases)
    lines = [
        f"{found.rows} rows: {len(found.cases.cases)} of {len(networks)} networks with a graph,"
        f" {len(found.cases.without)} without",
        f"used: {len(found.used)} rows of {len(families)} families on {len(devices)} devices and"
        f" units; {found.excluded} are doubtful, {copied} told twice",
    ]
    if disputed:
        lines.append(f"far off other measurements: {disputed} of those used; they count")
    if found.few:
        few = ", ".join(f"{name} ({count})" for name, count in found.few.items())
        lines.append(f"too few networks to judge: {few}")
    return lines


def doubt_lines(doubts: Sequence[Doubt], each: int = 2) -> list[str]:
    """The doubts by kind: how many, and the first ``each``."""
    counts = Counter(doubt.kind for doubt in doubts)
    lines = []
    for kind, count in counts.most_common():
        lines.append(f"{kind}: {count}")
        lines += [f"  {d}" for d in [d for d in doubts if d.kind == kind][:each]]
        if count > each:
            lines.append(f"  and {count - each} more")
    return lines


def agreement_table(found: Assessment) -> Table:
    """How far measurements of one thing are apart: no model gets nearer to all of them."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title="Measurements of one thing: how far pairs, and rows off the table, are apart",
        title_justify="left",
    )
    table.add_column("between")
    for heading in ("pairs", "median", "p90", "largest"):
        table.add_column(heading, justify="right")
    for row in found.agreement.spreads:
        largest = f"{row.largest:.0%}" if row.largest < 10 else f"{row.largest + 1:.0f}x"
        table.add_row(
            escape(row.what), str(row.pairs), f"{row.median:.1%}", f"{row.p90:.1%}", largest
        )
    return table


def device_table(found: Assessment) -> Table:
    """How far each device is off a factor times the others."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title="Each device against a factor times the others",
        title_justify="left",
    )
    table.add_column("device")
    for heading in ("rows", "median", "p90", "off 3x", "these"):
        table.add_column(heading, justify="right")
    for row in found.agreement.devices:
        these = "" if row.factor is None else f"{row.factor:.3g}x"
        table.add_row(
            escape(row.device),
            str(row.rows),
            f"{row.median:.1%}",
            f"{row.p90:.0%}",
            str(row.off),
            these,
        )
    return table


def score_table(judged: Judged, title: str, by: Callable[[MeasuredNetwork], str]) -> Table:
    """The errors of every model on rows kept aside, by group."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("model")
    for heading in ("rows", "median", "p90", "<= 20 %", "rank"):
        table.add_column(heading, justify="right")
    for name, part in judged.groups(by).items():
        for model in judged.predicted:
            table.add_row(escape(name), model, *_cells(score(part, model)))
            name = ""
    return table


def by_device_table(judged: Judged, title: str, model: str) -> Table:
    """Median and 90th percentile of ``model`` by device and precision, and the mean rank."""
    from rich.markup import escape
    from rich.table import Table

    precisions = sorted({case.precision.group for case in judged.cases})
    table = Table(title=f"{title}: {model}, median / p90", title_justify="left")
    table.add_column("device")
    for heading in (*precisions, "rank"):
        table.add_column(heading, justify="right")
    for device, part in judged.groups(lambda case: case.device).items():
        scores = {
            name: score(of, model)
            for name, of in part.groups(lambda case: case.precision.group).items()
        }
        cells = []
        for name in precisions:
            found = scores.get(name)
            told = found is not None and found.rows
            cells.append(f"{found.median:.0%} / {_p90(found)}" if found and told else "")
        table.add_row(escape(device), *cells, _rank(score(part, model)))
    return table


def best_model(judged: Judged) -> str:
    """The model with the least median error."""
    return min(judged.predicted, key=lambda model: score(judged, model).median)


def _p90(found: Score) -> str:
    return f"{found.p90:.0%}" if found.p90 < 10 else f"{found.p90 + 1:.0f}x"


def _rank(found: Score) -> str:
    return "" if found.rank != found.rank else f"{found.rank:.2f}"


def _cells(found: Score) -> list[str]:
    if not found.rows:
        return ["0", "", "", "", ""]
    share = f"{found.within_20:.0%}"
    return [str(found.rows), f"{found.median:.1%}", _p90(found), share, _rank(found)]


def undisputed(judged: Judged) -> Judged:
    """Without the rows that are far off other measurements of the same thing."""
    return judged.part(lambda case: not case.disputed)


def worst_table(judged: Judged, model: str, count: int = 8) -> Table:
    """The rows that ``model`` got most wrong, the furthest by factor first.

    A network under one runtime and precision stands here once, with the device where it was
    furthest off and how many others it was more than twice as wrong on.
    """
    import numpy as np
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"Furthest off, {model}, in milliseconds", title_justify="left")
    for heading in ("network, precision, runtime", "device"):
        table.add_column(heading, overflow="fold")
    for heading in ("line", "measured", "predicted"):
        table.add_column(heading, justify="right")
    measured = np.array([case.seconds for case in judged.cases])
    apart = np.abs(np.log(np.maximum(judged.predicted[model], 1e-12) / measured))
    apart = np.where(np.isfinite(apart), apart, -1.0)
    first: dict[tuple[str, ...], int] = {}
    devices: dict[tuple[str, ...], set[str]] = {}
    for i in np.argsort(-apart, kind="stable").tolist():
        if apart[i] < 0:
            break
        case = judged.cases[i]
        key = (*case.job, case.row.runtime)
        first.setdefault(key, i)
        if apart[i] > np.log(2):
            devices.setdefault(key, set()).add(case.device)
    for key, i in list(first.items())[:count]:
        case = judged.cases[i]
        line = case.where.line if case.where else None
        more = len(devices.get(key, ())) - 1
        row = case.row.network, case.precision.group, case.row.runtime
        table.add_row(
            escape(", ".join(filter(None, row))),
            escape(case.device) + (f" and {more} more" if more > 0 else ""),
            str(line or ""),
            f"{1e3 * measured[i]:.4g}", f"{1e3 * judged.predicted[model][i]:.4g}",
        )  # fmt: skip
    return table


def as_json(found: Assessment) -> dict[str, Any]:
    """The whole assessment as plain data; shares, not percentages."""
    return {
        "schema": SCHEMA,
        "seed": found.seed,
        "rows": found.rows,
        "with_graph": len(found.cases.cases),
        "used": len(found.used),
        "families": {
            family: sorted({case.row.network for case in found.used if case.family == family})
            for family in sorted({case.family for case in found.used})
        },
        "doubts": [
            {
                "kind": doubt.kind,
                "message": doubt.message,
                "where": None if doubt.where is None else str(doubt.where),
            }
            for doubt in found.doubts
        ],
        "copies": dict(found.agreement.copies),
        "too_few": dict(found.few),
        "devices": [asdict(row) for row in found.agreement.devices],
        "agreement": [
            {
                "between": row.what, "pairs": row.pairs, "median": row.median, "p90": row.p90,
                "largest": row.largest,
            }
            for row in found.agreement.spreads
        ],
        "tasks": [_task(judged) for judged in (found.known, found.new)],
    }  # fmt: skip


def ranges_line(judged: Judged, model: str) -> str:
    """How often ranges hold that are made from the residuals of other families."""
    found = sureness(judged, model)
    rows = sum(one.rows for one in found.values())
    return (
        f"ranges of the {model} model at {LEVEL:.0%} hold {covered(found):.0%} of {rows} rows whose"
        " families their estimate has not seen"
    )


def _task(judged: Judged) -> dict[str, Any]:
    without = undisputed(judged)
    return {
        "task": judged.task,
        "models": {
            model: {
                "all": score(judged, model).as_dict(),
                "undisputed": score(without, model).as_dict(),
                **{
                    f"by_{what}": {
                        name: score(part, model).as_dict()
                        for name, part in judged.groups(of).items()
                    }
                    for what, of in GROUPS.items()
                },
                "ranges": [
                    {
                        "device": device, "precision": precision, "rows": one.rows,
                        "covered": plain_number(one.covered), "uncertainty": one.as_dict(),
                    }
                    for (device, precision), one in sureness(judged, model).items()
                ],
            }
            for model in judged.predicted
        },
        "notes": list(judged.notes),
    }  # fmt: skip
