"""``hetsim list``: what there is to put into a scenario."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hetsim.cli.catalogue import Catalogue, Row, field_of, joined, number, quantity

if TYPE_CHECKING:
    from rich.console import Console


def _socs() -> list[Row]:
    from hetsim.library import shipped
    from hetsim.soc.calibrated import summary
    from hetsim.soc.loader import load_soc

    rows: list[Row] = []
    for name in shipped("socs"):
        soc = load_soc(name)
        rows.append(
            {
                "name": name,
                "pus": [pu.name for pu in soc.pus],
                "kinds": [pu.kind for pu in soc.pus],
                "memory_bytes_per_s": sum(m.bandwidth for m in soc.spec.memory.values()),
                "memory_bytes": sum(m.capacity for m in soc.spec.memory.values()),
                "description": soc.spec.description,
                "calibrated": [fit.model_dump() for fit in soc.spec.calibrated],
                "error": summary(soc.spec.calibrated),
                "file": soc.source,
            }
        )
    return rows


def _schedulers() -> list[Row]:
    from hetsim.schedulers.registry import list_schedulers

    return [
        {
            "name": info.name,
            "optimises": info.optimises,
            "ignores": info.ignores,
            "complexity": info.complexity,
            "source": info.source,
            "parameters": dict(info.parameters),
            "origin": info.origin,
        }
        for info in list_schedulers()
    ]


def _joint_schedulers() -> list[Row]:
    from hetsim.schedulers.joint.registry import JOINT_SCHEDULERS

    return [
        {
            "name": name,
            "description": (JOINT_SCHEDULERS.find(name).__doc__ or "").partition("\n")[0],
            "source": JOINT_SCHEDULERS.find(name).source,
            "origin": JOINT_SCHEDULERS.origin(name),
        }
        for name in JOINT_SCHEDULERS.names()
    ]


def _dispatchers() -> list[Row]:
    from hetsim.sim.dispatchers.registry import list_dispatchers

    return [
        {
            "name": info.name,
            "chooses": "order and unit" if info.places else "order",
            "optimises": info.optimises,
            "ignores": info.ignores,
            "source": info.source,
            "parameters": dict(info.parameters),
            "origin": info.origin,
        }
        for info in list_dispatchers()
    ]


def _models() -> list[Row]:
    from hetsim.workload.zoo import ALIASES, MODELS

    return [
        {
            "name": model.name,
            "aliases": [alias for alias, name in ALIASES.items() if name == model.name],
            "description": model.description,
            "published_macs": model.macs,
            "published_parameters": model.parameters,
            "published_in": model.source,
            "remark": model.remark,
            "made_from": f"onnx package: {model.file}" if model.file else "its published structure",
        }
        for model in MODELS.values()
    ]


def _scenarios() -> list[Row]:
    from hetsim.library import shipped
    from hetsim.scenario.loader import load_scenario

    rows: list[Row] = []
    for name in shipped("scenarios"):
        scenario = load_scenario(name)
        listed = [ref.label for ref in scenario.schedulers if ref.listed]
        rows.append(
            {
                "name": name,
                "soc": scenario.soc.name,
                "models": [model.label for model in scenario.models],
                "schedulers": listed or ["all"],
                "execution": scenario.execution,
                "description": scenario.description,
                "file": scenario.source,
            }
        )
    return rows


def _pu_kinds() -> list[Row]:
    from hetsim.calibrate.target import target_class
    from hetsim.soc.kinds import BUILT_IN, kinds

    return [
        {
            "name": kind,
            "calibrated_from": target.form if (target := target_class(schema)) else None,
            **_class(schema, kind in BUILT_IN),
        }
        for kind, schema in kinds().items()
    ]


def _cost_sources() -> list[Row]:
    from hetsim.cost.sources import BUILT_IN, sources

    return [
        {
            "name": source.name,
            "field": source.field,
            **_class(type(source), source.name in BUILT_IN),
        }
        for source in sources()
    ]


def _class(cls: type, built_in: bool) -> Row:
    """What a class says of itself, and where it comes from."""
    summary = (cls.__doc__ or "").partition("\n")[0]
    origin = "built in" if built_in else f"{cls.__module__}:{cls.__qualname__}"
    return {"description": summary, "origin": origin}


def _operators() -> list[Row]:
    from hetsim.workload.costing import PLAIN, RULES
    from hetsim.workload.onnx.plain import INTO
    from hetsim.workload.onnx.read import CONTROL_FLOW
    from hetsim.workload.onnx.sequences import SEQUENCES

    families = {kind: rule.cost.__module__.rpartition(".")[2] for kind, rule in RULES.items()}
    read_as = {kind: plain.kind for kind, plain in PLAIN.items()} | INTO
    families |= {kind: f"read as {plain}" for kind, plain in read_as.items()}
    families |= dict.fromkeys(CONTROL_FLOW, "read as the operators inside")
    families |= dict.fromkeys(SEQUENCES, "read as Split, Concat and names")
    return [{"kind": kind, "family": families[kind]} for kind in sorted(families)]


def _by_family(rows: list[Row]) -> list[Row]:
    families: dict[str, list[object]] = {}
    for row in rows:
        families.setdefault(str(row["family"]), []).append(row["kind"])
    return [{"family": family, "kinds": kinds} for family, kinds in sorted(families.items())]


def _metrics() -> list[Row]:
    from hetsim.analysis.metrics.registry import metrics

    return [
        {
            "name": metric.name,
            "measures": [f"{metric.name}_{ending}" if ending else metric.name
                         for ending in metric.units],
            "aliases": list(metric.aliases),
            "better": metric.better,
            "key": None if metric.of_the_soc else metric.key,
            "description": metric.label,
            "measured_of": metric.measured_of,
        }
        for metric in metrics()
    ]  # fmt: skip


CATALOGUES: dict[str, Catalogue] = {
    "socs": Catalogue(
        _socs,
        {
            "name": field_of("name"),
            "processing units": joined("pus"),
            "memory": quantity("memory_bytes", "size"),
            "peak": quantity("memory_bytes_per_s", "bandwidth"),
            "what it is": field_of("description"),
            "how wrong": field_of("error"),
        },
    ),
    "models": Catalogue(
        _models,
        {
            "name": field_of("name"),
            "GMACs": number("published_macs", 1e9),
            "M params": number("published_parameters", 1e6),
            "what it is": field_of("description"),
            "made from": field_of("made_from"),
            "figures from": field_of("published_in"),
            "but": lambda row: str(row["remark"] or "–"),
        },
    ),
    "schedulers": Catalogue(
        _schedulers,
        {
            "name": field_of("name"),
            "optimises": field_of("optimises"),
            "ignores": field_of("ignores"),
            "complexity": field_of("complexity"),
            "source": field_of("source"),
        },
    ),
    "joint-schedulers": Catalogue(
        _joint_schedulers,
        {
            "name": field_of("name"),
            "what it is": field_of("description"),
            "source": field_of("source"),
            "comes from": field_of("origin"),
        },
    ),
    "dispatchers": Catalogue(
        _dispatchers,
        {
            "name": field_of("name"),
            "chooses": field_of("chooses"),
            "optimises": field_of("optimises"),
            "ignores": field_of("ignores"),
            "source": field_of("source"),
        },
    ),
    "scenarios": Catalogue(
        _scenarios,
        {
            "name": field_of("name"),
            "SoC": field_of("soc"),
            "models": joined("models"),
            "schedulers": joined("schedulers"),
            "what it is": field_of("description"),
        },
    ),
    "pu-kinds": Catalogue(
        _pu_kinds,
        {
            "kind": field_of("name"),
            "what it is": field_of("description"),
            "calibrated from": lambda row: str(row["calibrated_from"] or "–"),
            "comes from": field_of("origin"),
        },
    ),
    "cost-sources": Catalogue(
        _cost_sources,
        {
            "name": field_of("name"),
            "a unit's field": field_of("field"),
            "what it reads": field_of("description"),
            "comes from": field_of("origin"),
        },
    ),
    "operators": Catalogue(
        _operators,
        {"counted as": field_of("family"), "kinds": joined("kinds")},
        shown=_by_family,
    ),
    "metrics": Catalogue(
        _metrics,
        {
            "name": field_of("name"),
            "what it is": field_of("description"),
            "measured of": field_of("measured_of"),
            "better": lambda row: str(row["better"] or "–"),
            "in result.json": lambda row: str(row["key"] or "–"),
            "objectives and constraints": joined("measures"),
            "or": joined("aliases"),
        },
    ),
}


@click.command()
@click.argument("what", type=click.Choice(list(CATALOGUES)))
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def command(what: str, as_json: bool) -> None:
    """Show the SoCs, models, schedulers, dispatchers, scenarios or operators there are.

    Figures of models are the published ones; 'hetsim run' counts its own. Kinds of processing units
    and cost sources are those that SoC files may name, installed ones included.
    """
    catalogue = CATALOGUES[what]
    rows = catalogue.rows()
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False).encode())
    else:
        _print_table(catalogue, rows)


FOLDED = 30
"""Characters that a column which is folded keeps at least; with less a table is no help."""


def _print_table(catalogue: Catalogue, rows: list[Row]) -> None:
    """A table where it can be read, else a paragraph for each row."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    cells = [[cell(row) for cell in catalogue.columns.values()] for row in catalogue.shown(rows)]
    widths = [
        max(map(len, (heading, *column)))
        for heading, *column in zip(catalogue.columns, *cells, strict=True)
    ]
    if sum(min(width, FOLDED) + 2 for width in widths) > console.width:
        _print_paragraphs(list(catalogue.columns), cells, console)
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for position, heading in enumerate(catalogue.columns):
        table.add_column(heading, no_wrap=position == 0, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_paragraphs(headings: list[str], cells: list[list[str]], console: Console) -> None:
    """The first cell as a title, each other one behind its heading; a dash is left out."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    for row in cells:
        console.print(Text(row[0], style="bold"))
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True, min_width=max(map(len, headings[1:])))
        grid.add_column(overflow="fold")
        for heading, text in zip(headings[1:], row[1:], strict=True):
            if text not in ("", "–"):
                grid.add_row(heading, Text(text))
        console.print(Padding(grid, (0, 0, 0, 2), expand=False))
