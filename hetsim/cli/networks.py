"""``hetsim calibrate --networks``: how wrong models are about whole networks on real devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.progress import progress_bar
from hetsim.names import plain_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hetsim.calibrate.networks.assess import Assessment
    from hetsim.calibrate.networks.protocol import NetworkModel
    from hetsim.calibrate.networks.simulated import SimulatedModel
    from hetsim.cost.measured.table import Doubt


def whole_networks(
    table: str,
    graphs: str | None,
    soc: str | None,
    pu: str | None,
    *,
    device: str | None,
    precision: str | None,
    runtimes: Sequence[str],
    doubtful: bool,
    alone: bool,
    folds: int,
    seed: int,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Reads, judges, shows and writes, as the command line says.

    ``runtimes`` are all that is looked at, unless there are none. ``alone``: each network is kept
    aside by itself, not with others of its architecture.

    Raises:
        ConfigError: a table or directory that cannot be read, or nothing in it to judge.
        ResultsError: files are in the way.
    """
    from rich.console import Console

    from hetsim.calibrate.networks.assess import NothingToJudgeError, assess
    from hetsim.calibrate.networks.blend import BlendModel
    from hetsim.calibrate.networks.careless import CarelessModel
    from hetsim.calibrate.networks.carried import CarriedModel
    from hetsim.calibrate.networks.cases import make_cases
    from hetsim.calibrate.networks.described import DescribedModel
    from hetsim.calibrate.networks.files import planned_files, save
    from hetsim.calibrate.networks.graphs import GraphLibrary
    from hetsim.calibrate.networks.logadditive import LogAdditiveModel
    from hetsim.calibrate.networks.report import as_json as plain
    from hetsim.calibrate.networks.simulated import fitting
    from hetsim.calibrate.networks.table import read_networks
    from hetsim.calibrate.outputs import refuse_existing
    from hetsim.validate.tables import named

    file = named(table)
    described = None if soc is None or pu is None else DescribedModel(soc, pu)
    simulated = None if soc is None or pu is None else fitting(soc, pu)
    rows = read_networks(file)
    library = GraphLibrary(graphs)
    if output is not None and not force:
        files = planned_files(Path(output), [])
        files += [_soc_file(Path(output), simulated)] if simulated else []
        refuse_existing(files)
    if simulated is not None and simulated.has_seen(file.name):
        click.echo(
            f"note: {simulated.soc} was fitted to {file.name}; its numbers, which a fit"
            " starts from, have seen the networks kept aside, so errors are too small",
            err=True,
        )
    careless = CarelessModel()
    models: list[NetworkModel] = [careless]
    transfer: list[NetworkModel] = [careless, LogAdditiveModel(), BlendModel(careless)]
    if simulated is not None:
        models.append(simulated)
        transfer.append(CarriedModel(simulated))
    with progress_bar(wanted=not as_json) as progress:
        cases = make_cases(rows, library, progress)
        if runtimes:
            cases = cases.of_runtimes(runtimes)
        if alone:
            cases = cases.by_network()
        try:
            found = assess(
                rows, cases, models, transfer,
                described=described, device=device, precision=precision, doubtful=doubtful,
                folds=folds, seed=seed, progress=progress,
            )  # fmt: skip
        except NothingToJudgeError as error:
            if not as_json:
                _tell(Console(stderr=True), error.doubts)
            raise
    if as_json:
        click.echo(json.dumps(plain(found), indent=1))
    else:
        _show(found)
        for what, why in described.refused.items() if described else ():
            click.echo(f"not simulated, {what}: {why}")
    if output is not None:
        root = Path(output)
        root.mkdir(parents=True, exist_ok=True)
        written = save(found, root)
        if simulated is not None:
            written.append(_save_soc(found, simulated, root, file, force=force))
        if not as_json:
            click.echo(f"written to {root}: {', '.join(file.name for file in written)}")


def _soc_file(root: Path, model: SimulatedModel) -> Path:
    return root / f"{plain_name(model.soc, 'soc')}.yaml"


def _save_soc(
    found: Assessment, model: SimulatedModel, root: Path, table: Path, *, force: bool
) -> Path:
    """The SoC with what all rows of the one device say."""
    from hetsim.calibrate.networks.fitted import save_fitted_soc

    (device,) = {case.device for case in found.known.cases}
    own = [case for case in found.used if case.device == device]
    fitted = model.fit(own, [case for case in found.used if case.device != device])
    file = _soc_file(root, model)
    save_fitted_soc(fitted, found.known, file, table=table, device=device, force=force)
    return file


def _tell(console: Console, doubts: Sequence[Doubt]) -> None:
    from hetsim.calibrate.networks.report import doubt_lines

    if doubts:
        console.print("\nDoubts", style="bold")
    for line in doubt_lines(doubts):
        console.print(line, highlight=False, markup=False)


def _show(found: Assessment) -> None:
    from rich.console import Console

    from hetsim.calibrate.networks.report import (
        GROUPS,
        agreement_table,
        best_model,
        by_device_table,
        device_table,
        ranges_line,
        score_table,
        summary,
        undisputed,
        worst_table,
    )

    console = Console()
    for line in summary(found):
        console.print(line, highlight=False, markup=False)
    _tell(console, found.doubts)
    if found.agreement.spreads:
        console.print(agreement_table(found))
    if found.agreement.devices:
        console.print(device_table(found))
    for judged in (found.known, found.new):
        if not judged.cases:
            continue
        title = judged.task[0].upper() + judged.task[1:]
        if not judged.judged.any():
            console.print(f"{title}: no model could be fitted")
            _notes(console, judged.notes)
            continue
        console.print(score_table(judged, title, GROUPS["precision"]))
        less = undisputed(judged)
        if len(less.cases) < len(judged.cases):
            told = f"{title}: without rows far off other measurements"
            console.print(score_table(less, told, GROUPS["precision"]))
        best = best_model(judged)
        console.print(by_device_table(judged, title, best))
        console.print(f"  {ranges_line(judged, best)}", highlight=False, markup=False)
        console.print(score_table(judged, f"{title}: by class", GROUPS["class"]))
        console.print(worst_table(judged, best))
        _notes(console, judged.notes)


def _notes(console: Console, notes: Sequence[str], shown: int = 5) -> None:
    for note in notes[:shown]:
        console.print(f"  {note}", highlight=False, markup=False)
    if len(notes) > shown:
        console.print(f"  and {len(notes) - shown} more notes")
