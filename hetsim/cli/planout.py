"""``hetsim plan export``, ``run`` and ``import``: plans carried out by runtimes, and read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import SEED
from hetsim.cli.planfiles import (
    backend_option,
    backend_pairs,
    deliver,
    model_of,
    node_map_option,
    place,
    place_options,
)
from hetsim.cli.written import tell, write_files
from hetsim.host.handover.registry import runtime_names
from hetsim.plan.handover.registry import exporter_names

if TYPE_CHECKING:
    from hetsim.host.handover.compare import Comparison
    from hetsim.workload.sizes import Sizes

GONE = {
    "absorbed": "removed or folded into an operator",
    "shape": "arithmetic on shapes, computed before running",
    "constant": "constants, computed before running",
    "unused": "no output depends on them",
}
"""What became of nodes that the runtime had not to place, by role."""

strict_option = click.option(
    "--strict", is_flag=True, help="Exit with 2 unless every node ran where the plan has it."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, nothing else.")


@click.command()
@click.argument("file")
@place_options
@backend_option
@node_map_option
@click.option("--to", "wanted", type=click.Choice(exporter_names()), required=True,
              help="For whom.")  # fmt: skip
@click.option(
    "--map", "targets", metavar="PU=NAME[:OPTION=VALUE,...]", multiple=True,
    help="What the runtime calls a unit, like npu=QNNExecutionProvider; may be repeated.",
)  # fmt: skip
@click.option("--seed", type=SEED, default=0, help="Feeds weights of networks without any.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE|DIRECTORY",
    help="Where to write.  [default: one file goes to standard output]",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace what is there.")
def export(
    file: str,
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
    node_map: Path | None,
    wanted: str,
    targets: Sequence[str],
    seed: int,
    output: Path | None,
    force: bool,
) -> int:
    """Write a plan for a runtime or compiler: onnxruntime, openvino, nest-c, or plain JSON.

    Every node of the model's file gets a provider, also those that are no operators of the plan.
    What needs several files (models, weights) is a directory, which 'hetsim plan run' runs.
    """
    from hetsim.errors import Location, PlanError
    from hetsim.plan.anyfile import read_plan
    from hetsim.plan.handover.base import Order
    from hetsim.plan.handover.registry import find_exporter
    from hetsim.plan.handover.targets import parse_targets
    from hetsim.plan.validate import validate_plan
    from hetsim.report.files.directory import check_directory
    from hetsim.workload.onnx.runnable import load_runnable

    exporter = find_exporter(wanted)
    if exporter.directory:
        if output is None:
            raise click.UsageError(f"--output is missing: --to {wanted} writes several files")
        check_directory(output, force=force)
    given = parse_targets(targets)
    graph, unit = place(file, model, sizes, soc, changes)
    found = read_plan(file, [graph], unit, backend_pairs(backends), node_map)
    validate_plan(found.plan, graph, unit, where=Location(file))
    name = model_of(file, model)
    order = Order(
        found.plan, graph, unit, given,
        lambda: load_runnable(name, sizes=sizes, seed=seed),
    )  # fmt: skip
    try:
        made = exporter.export(order)
    except PlanError as error:
        error.where = error.where or Location(file)
        raise
    tell([*found.notes, *made.notes])
    if exporter.directory and output is not None:
        write_files(output, made.files, force)
        click.echo(f"{output}: {', '.join(sorted(made.files)[:6])}, ... ({len(made.files)} files)")
    else:
        (content,) = made.files.values()
        deliver(content, output, force)
    return 0


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--whole", is_flag=True,
              help="Run the model in one session, not the partitions one by one.")  # fmt: skip
@click.option("--seed", type=SEED, default=0, help="Feeds the inputs.")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=1e-4, show_default=True,
    help="How far outputs may be from the whole model's, as a share of their largest value.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              metavar="FILE.json", help="Also write what the runtime said.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE.json.")
@strict_option
@json_option
def run(
    directory: Path,
    whole: bool,
    seed: int,
    tolerance: float,
    output: Path | None,
    force: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Run what 'hetsim plan export' wrote in DIRECTORY, with the real runtime on this machine.

    Shows where each node ran and why it did not where it was planned, and compares the outputs
    with those of the whole model on the CPU. Inputs are random numbers.
    """
    from hetsim.host.handover.compare import compare
    from hetsim.host.handover.evidence import dump_evidence
    from hetsim.host.handover.registry import find_runner
    from hetsim.plan.handover.document import load_assignment

    assignment = load_assignment(directory)
    evidence = find_runner(assignment.runtime)(directory, assignment, whole=whole, seed=seed)
    if output is not None:
        deliver(dump_evidence(evidence), output, force)
    result = _told(compare(assignment, evidence, str(directory)), as_json, strict)
    if evidence.deviation is not None and evidence.deviation > tolerance:
        click.echo(
            f"error: outputs differ from the whole model's by {evidence.deviation:.2g} of their"
            f" largest value; {tolerance:g} is allowed",
            err=True,
        )
        return 2
    return result


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--from", "runtime", type=click.Choice(runtime_names()), required=True,
              help="Whose files.")  # fmt: skip
@click.option(
    "--plan", "assigned", required=True, type=click.Path(path_type=Path), metavar="DIRECTORY|FILE",
    help="What 'hetsim plan export' wrote.",
)  # fmt: skip
@strict_option
@json_option
def read_back(
    files: Sequence[Path], runtime: str, assigned: Path, strict: bool, as_json: bool
) -> int:
    """Show where a runtime really placed each node, beside the plan, with the reason.

    FILES are ONNX Runtime's profile (enable_profiling), with the optimised model beside it if there
    is one (optimized_model_filepath), or a record that 'hetsim plan run -o' wrote.
    """
    from hetsim.host.handover.compare import compare
    from hetsim.host.handover.registry import find_reader
    from hetsim.plan.handover.document import load_assignment

    assignment = load_assignment(assigned)
    evidence = find_reader(runtime)(files)
    return _told(compare(assignment, evidence, str(files[0])), as_json, strict)


def _told(found: Comparison, as_json: bool, strict: bool) -> int:
    """Prints a comparison; the exit code that ``--strict`` asks for."""
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False).encode(errors="backslashreplace"))
    else:
        _print(found)
    missed = len(found.placeable) - found.landed
    return 2 if strict and missed else 0


def _plain(found: Comparison) -> dict[str, object]:
    return {
        "schema": "hetsim.carried_out/1",
        "runtime": found.evidence.runtime,
        "version": found.evidence.version,
        "placeable": len(found.placeable),
        "as_planned": found.landed,
        "output_deviation": found.evidence.deviation,
        "nodes": [
            {
                "name": r.node.name, "kind": r.node.kind, "role": r.node.role,
                "operator": r.node.operator, "pu": r.pu, "planned": r.planned,
                "really": r.really, "status": r.status, "reason": r.reason,
            }
            for r in found.rows
        ],
        "inserted": [
            {"name": k.name, "kind": k.kind, "provider": k.place} for k in found.inserted
        ],
    }  # fmt: skip


def _print(found: Comparison) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("node", "kind", "unit", "planned", "really", "", box=None)
    for row in found.rows:
        if row.status == "gone":
            continue
        style = None if row.status == "as planned" else "bold"
        told = row.reason if row.status == "as planned" else f"{row.status}: {row.reason}"
        cells = (row.node.name, row.node.kind, row.pu, row.planned, row.really or "–", told)
        table.add_row(*(Text(_shown(cell)) for cell in cells), style=style)
    console = Console()
    console.print(table)
    gone = Counter(row.node.role for row in found.rows if row.status == "gone")
    for role, count in gone.items():
        console.print(f"{count} more nodes: {GONE[role]}", markup=False, highlight=False)
    inserted = Counter((k.kind, k.place) for k in found.inserted)
    for (kind, provider), count in inserted.items():
        told = f"{count} x {kind} of {provider}: no node of the model"
        console.print(Text(_shown(told)))
    evidence = found.evidence
    who = f"{evidence.runtime} {evidence.version}".strip()
    console.print(
        f"{found.landed} of {len(found.placeable)} placeable nodes ran as planned ({who})",
        highlight=False,
    )
    if evidence.deviation is not None:
        console.print(
            f"outputs differ from the whole model's by {evidence.deviation:.2g} of their largest"
            " value",
            highlight=False,
        )


def _shown(text: str) -> str:
    """``text`` of a file without what could steer the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
