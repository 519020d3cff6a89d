"""``hetsim calibrate SOC --pu NPU --simulate tile``: a learned model for simulated tiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.progress import progress_bar
from hetsim.errors import ConfigError, Location

if TYPE_CHECKING:
    from hetsim.calibrate.evaluate import DeviceReport
    from hetsim.calibrate.standin import Speed
    from hetsim.learn.regressor import LearnedModel
    from hetsim.soc.arrays import MatrixArray
    from hetsim.soc.model import PU, SoC
    from hetsim.workload.graph import Graph
    from hetsim.workload.sizes import Sizes


def stand_in(
    soc_name: str,
    pu_name: str,
    models: str | None,
    sizes: Sizes,
    *,
    base: str,
    learned: bool,
    folds: int,
    seed: int,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Simulates, trains, reports and writes, as the command line says.

    ``models`` are separated by commas; all built-in networks when ``None``.

    Raises:
        ConfigError: no such SoC, unit or network, or a unit that does not work in tiles.
        ResultsError: files are in the way.
    """
    from hetsim.calibrate.standin import base_model, evaluate_standin, measure_speed
    from hetsim.learn.regressor import LearnedModel
    from hetsim.runs.profile.kernels import simulate_kernels
    from hetsim.soc.loader import load_soc

    soc = load_soc(soc_name)
    pu, array = _array(soc, pu_name)
    graphs = _graphs(models, sizes)
    files = _files(output, pu, learned)
    if not force:
        from hetsim.calibrate.outputs import refuse_existing

        refuse_existing(list(files.values()))
    with progress_bar(wanted=not as_json) as progress:
        kernels = simulate_kernels(graphs, soc, pu, progress)
        table = kernels.table
        report = evaluate_standin(
            table,
            array,
            learned=[base] if learned else [],
            folds=folds,
            seed=seed,
            progress=progress,
        )
    model = speed = None
    if learned:
        model = LearnedModel.fit(table, seed=seed, baseline=base_model(base, array))
        speed = measure_speed(model, table, kernels.tile_s, kernels.fluid_s)
    summary = (
        f"{len(table)} kernels of {len(set(table.families.tolist()))} networks simulated on"
        f" {pu.cluster} of {soc.name}; it cannot run {kernels.refused} others"
    )
    _show(report, speed, summary, as_json=as_json)
    if files:
        written = _write(files, report, model, f"tiles simulated on {pu.cluster} of {soc.name}")
        if not as_json:
            click.echo(f"written to {output}: {', '.join(file.name for file in written)}")


def _array(soc: SoC, name: str) -> tuple[PU, MatrixArray]:
    from hetsim.names import suggest

    for pu in soc.pus:
        if name in (pu.name, pu.cluster):
            array = pu.spec.matrix_array
            if array is None:
                raise ConfigError(
                    f"{name} does not work in tiles, so there is nothing to stand in for",
                    where=Location(soc.source),
                    hint="give an NPU with --pu",
                )
            return pu, array
    known = [pu.name for pu in soc.pus]
    raise ConfigError(
        f"{soc.name} has no unit called {name!r}; {suggest(name, known)}",
        where=Location(soc.source),
    )


def _graphs(models: str | None, sizes: Sizes) -> list[Graph]:
    from hetsim.workload.networks import load_network, share_sizes
    from hetsim.workload.zoo import model_names

    if models is None:
        names = list(model_names())
    else:
        names = list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    if len(names) < 2:
        raise ConfigError(
            "a network can only be kept aside when there are others",
            where=Location("--models"),
            hint="give two or more, separated by commas",
        )
    shared = share_sizes(names, sizes, "--models")
    return [load_network(n, **own.options()) for n, own in zip(names, shared, strict=True)]


def _files(output: str | None, pu: PU, learned: bool) -> dict[str, Path]:
    if output is None:
        return {}
    root = Path(output)
    files = {"report": root / "report.json", "scatter": root / f"scatter-{pu.cluster}.png"}
    if learned:
        files["learned"] = root / f"learned-{pu.cluster}.npz"
    return files


def _show(report: DeviceReport, speed: Speed | None, summary: str, *, as_json: bool) -> None:
    from hetsim.calibrate.report import as_json as plain
    from hetsim.calibrate.report import metrics_table, worst_table

    if as_json:
        found = {
            "summary": summary,
            "reports": [plain(report)],
            "speed": speed.as_dict() if speed else None,
        }
        click.echo(json.dumps(found, indent=1))
        return
    from rich.console import Console

    console = Console()
    console.print(summary, highlight=False)
    console.print(metrics_table(report))
    console.print(worst_table(report, list(report.scores)[-1], 5))
    for note in report.notes:
        console.print(f"  {note}", highlight=False)
    if speed is not None:
        console.print(
            f"  {speed.learned_per_s:,.0f} predictions/s in batches, {speed.ratio:,.0f} times as"
            f" many as kernels simulated tile by tile ({speed.tile_per_s:,.0f}/s)",
            highlight=False,
        )


def _write(
    files: dict[str, Path], report: DeviceReport, model: LearnedModel | None, source: str
) -> list[Path]:
    from hetsim.calibrate.outputs import save_report, save_scatter, score_line
    from hetsim.learn.store import save_model
    from hetsim.version import version

    files["report"].parent.mkdir(parents=True, exist_ok=True)
    written = [save_report([report], files["report"]), save_scatter(report, files["scatter"])]
    if model is not None:
        score = score_line(report, list(report.scores)[-1])
        facts = {"source": source, "score": score, "made by": f"hetsim {version()}"}
        save_model(model.noting(**facts), files["learned"])
        written.append(files["learned"])
    return written
