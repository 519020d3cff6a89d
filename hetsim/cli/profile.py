"""``hetsim profile``: simulated, measured here, or imported from other tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from hetsim.cli.options import SEED, sized
from hetsim.cli.progress import progress_bar
from hetsim.cli.written import tell, write_files
from hetsim.host.engines.registry import engine_names, find_engine

if TYPE_CHECKING:
    from hetsim.cost.measured.readers.base import Censored
    from hetsim.host.engines.base import Engine
    from hetsim.workload.sizes import Sizes

DEFAULT_NETWORKS = ("squeezenet", "googlenet", "resnet18")
"""What is measured when nothing is named."""

OPERATOR_FORMATS = ("nestc", "autotvm", "ort", "tflite", "openvino", "csv")
NETWORK_FORMATS = ("aihub", "llama-bench", "benchmark_app")
"""What can be imported; the registries are only looked at when something is, for quick help."""

_ONLY = {
    "threads": "--measure", "repeat": "--measure", "warmup": "--measure", "seed": "--measure",
    "device": "--import", "pu": "--import", "unit": "--import", "censored": "--import",
}  # fmt: skip
"""Options that only one way of making profiles looks at."""


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option(
    "--soc",
    metavar="NAME|FILE.yaml",
    help="Simulate the profile on this SoC; with --import, whose unit --pu was measured.",
)
@click.option(
    "--model",
    "models",
    metavar="NAME|FILE",
    multiple=True,
    help="The network to profile, or that imported files speak of; may be repeated.",
)
@sized
@click.option(
    "--measure",
    type=click.Choice(engine_names()),
    help="Measure the networks on this machine, with this runtime (extras 'measure', 'openvino').",
)
@click.option(
    "--threads",
    default="1",
    show_default=True,
    metavar="N,...",
    help="Measure workers of so many threads; one SoC description each.",
)
@click.option("--repeat", type=click.IntRange(min=1), default=30, show_default=True)
@click.option("--warmup", type=click.IntRange(min=0), default=3, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True,
              help="Feeds stripped weights and inputs.")  # fmt: skip
@click.option(
    "--import",
    "form",
    type=click.Choice([*OPERATOR_FORMATS, *NETWORK_FORMATS]),
    help="Read FILEs of this format; the last three measured whole networks, not operators.",
)
@click.option("--device", metavar="NAME", help="What imported files measured, whatever they say.")
@click.option(
    "--unit",
    type=click.Choice(["us", "ms", "s"]),
    help="Unit of times that state none: of nestc (else us), of a csv column 'time'.",
)
@click.option(
    "--censored",
    type=click.Choice(["keep", "drop"]),
    default="keep",
    show_default=True,
    help="Of times in whole milliseconds those of 1 ms are below 1.5 ms: take 0.75, or leave them"
    " to the model.",
)
@click.option(
    "--pu", metavar="NAME", help="Refuse imported times beyond the peak of this unit of --soc."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the files go.  [default: profiles/WHAT]",
)
@click.option("--force", is_flag=True, help="Replace an existing directory that hetsim wrote.")
def command(
    files: tuple[Path, ...],
    soc: str | None,
    models: tuple[str, ...],
    sizes: Sizes,
    measure: str | None,
    threads: str,
    repeat: int,
    warmup: int,
    seed: int,
    form: str | None,
    device: str | None,
    unit: str | None,
    censored: Censored,
    pu: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Make operator profiles: simulated, measured here, or imported.

    \b
    hetsim profile --soc zcu102-vta --model squeezenet       what the simulator says
    hetsim profile --measure onnxruntime --threads 1,2       this machine, as a SoC
    hetsim profile --import nestc a.yaml b.yaml --model M    what another tool measured
    """
    if form is not None and (soc is None) != (pu is None):
        raise click.UsageError("--soc and --pu go together: which unit of which SoC was measured?")
    if sum(choice is not None for choice in (None if form else soc, measure, form)) != 1:
        raise click.UsageError("give one of --soc, --measure and --import")
    if (form is None) != (not files):
        raise click.UsageError("--import goes with FILEs to read, and FILEs with --import")
    _refuse_idle("--measure" if measure else "--import" if form else "--soc")
    if form in NETWORK_FORMATS:
        given = {
            "--model": models, "--unit": unit, "--pu": pu, "--censored": censored != "keep"
        }  # fmt: skip
        idle = [option for option, value in given.items() if value]
        if idle:
            raise click.UsageError(f"{idle[0]} goes with times of operators, not with {form}")
        from hetsim.cli.importing import import_network_files

        import_network_files(form, files, device, output, force)
    elif form is not None:
        from hetsim.cli.importing import import_profile_files
        from hetsim.cost.measured.readers.base import Request
        from hetsim.workload.networks import load_network, share_sizes

        graphs = tuple(
            load_network(model, **own.options())
            for model, own in zip(models, share_sizes(models, sizes, "--model"), strict=True)
        )
        request = Request(files, graphs, device, unit, censored)
        unit_of = None if soc is None or pu is None else (soc, pu)
        import_profile_files(form, request, unit_of, output, force)
    elif soc is not None:
        if len(models) != 1:
            raise click.UsageError("--soc goes with one --model")
        _simulated(soc, models[0], sizes, output, force)
    else:
        engine = find_engine(str(measure))
        _measured(
            models or DEFAULT_NETWORKS, sizes, engine, threads, repeat, warmup, seed, output, force
        )


def _refuse_idle(way: str) -> None:
    """An option that the chosen way does not look at is a misunderstanding."""
    context = click.get_current_context()
    for name, needed in _ONLY.items():
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and way != needed:
            raise click.UsageError(f"--{name} goes with {needed}, not with {way}")


def _simulated(
    soc_name: str,
    model: str,
    sizes: Sizes,
    output: Path | None,
    force: bool,
) -> None:
    from hetsim.cost.measured.readers.nestc import TIMES, TRANSFERS, write
    from hetsim.report.files.directory import check_directory
    from hetsim.runs.case import Case
    from hetsim.runs.profile.exports import profile_csv, profile_rows, profile_yaml
    from hetsim.soc.loader import load_soc
    from hetsim.workload.networks import load_network

    soc = load_soc(soc_name)
    graph = load_network(model, **sizes.options())
    directory = output or Path("profiles", f"{graph.name}-{soc.name}")
    check_directory(directory, force=force)
    case = Case(graph, soc)
    case.check()
    rows = profile_rows(case.lowering)
    texts = {"profile.csv": profile_csv(graph.name, rows)}
    notes = []
    for pu in soc.pus:
        texts[f"profile-{pu.name}.yaml"] = profile_yaml(graph.name, soc.name, pu.name, rows)
        mine = [row for row in rows if row.pu == pu.name]
        for file, holds, times in (
            (f"nestc-{pu.name}.yaml", TIMES, [row.seconds for row in mine]),
            (f"nestc-{pu.name}-comm.yaml", TRANSFERS, [row.transfer_s for row in mine]),
        ):
            written = write(
                pu.name,
                [(graph, row.operators, t) for row, t in zip(mine, times, strict=True)],
                holds,
            )
            texts[file] = written.text
            notes += [f"{file}: key collision: {text}" for text in written.collisions]
    write_files(directory, texts, force)
    singles = sum(1 for row in rows if len(row.operators) == 1)
    unable = sum(1 for row in rows if row.reason)
    click.echo(
        f"{graph.name} on {soc.name}: {singles} operators and {len(rows) - singles} groups on"
        f" {len(soc.pus)} units, {unable} of them cannot run there"
    )
    tell(notes)
    click.echo(f"profile: {directory}")


def _measured(
    models: Sequence[str],
    sizes: Sizes,
    engine: Engine,
    threads: str,
    repeat: int,
    warmup: int,
    seed: int,
    output: Path | None,
    force: bool,
) -> None:
    from hetsim.cost.measured.files import dump_profile
    from hetsim.host.describe import host_profile, host_scenario, host_soc
    from hetsim.host.machine import this_machine
    from hetsim.host.network import load_network
    from hetsim.host.survey import survey
    from hetsim.report.files.directory import check_directory
    from hetsim.workload.networks import share_sizes

    counts = _thread_counts(threads)
    engine.check()
    directory = output or Path("profiles", "host")
    check_directory(directory, force=force)
    machine = this_machine()
    shared = share_sizes(models, sizes, "--model")
    networks = [
        load_network(model, sizes=own, seed=seed) for model, own in zip(models, shared, strict=True)
    ]
    with progress_bar() as progress:
        found = survey(
            machine, networks, counts, engine, warmup=warmup, repeats=repeat, progress=progress
        )
    texts: dict[str, str] = {}
    for measured in found:
        label = f"{measured.threads}t"
        name = "host" if measured is found[0] else f"host-{label}"
        profile = f"profile-{label}.yaml"
        texts[f"{name}.yaml"] = host_soc(measured, name, profile)
        texts[profile] = dump_profile(host_profile(measured, f"host-{label}"))
    entries = [_entry(model, own) for model, own in zip(models, shared, strict=True)]
    texts["scenario.yaml"] = host_scenario(found[0], "./host.yaml", entries)
    write_files(directory, texts, force)
    for measured in found:
        for times in measured.networks:
            spread = times.latency.spread_s or 0.0
            click.echo(
                f"{times.network.graph.name}, {measured.threads} thread(s):"
                f" {times.latency.median_s * 1e3:.3f} ms +- {spread * 1e3:.3f}"
                f" ({times.wall_s * 1e3:.3f} ms on the wall), kernels"
                f" {times.kernel_sum_s * 1e3:.3f} ms, {len(times.kernels)} operators"
                + (f", {len(times.missing)} not seen: {', '.join(times.missing[:5])}"
                   if times.missing else "")
            )  # fmt: skip
    click.echo(f"this machine: {directory / 'host.yaml'}; try it with")
    click.echo(f"  hetsim run {directory / 'scenario.yaml'}")
    click.echo(f"  hetsim verify {directory / 'scenario.yaml'}")


def _entry(model: str, sizes: Sizes) -> str:
    """How a scenario names ``model``, wherever the scenario lies."""
    from hetsim.workload.formats import names_file

    file = names_file(model)
    where = {"path": str(Path(model).resolve())} if file else {"name": model}
    if not file and not sizes.options():
        return model
    return json.dumps({**where, **sizes.plain()})


def _thread_counts(text: str) -> list[int]:
    from hetsim.errors import ConfigError, Location

    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise ConfigError(
            f"{text!r} is not a list of thread counts",
            where=Location("--threads"),
            hint="write it like 1,2",
        )
    return list(dict.fromkeys(map(int, words)))
