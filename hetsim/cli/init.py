"""``hetsim init``: a first SoC and scenario, commented, to go on from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

QUANTITIES = {"clock": "frequency", "sram": "size", "bandwidth": "bandwidth", "memory": "size"}
"""Options that are quantities, and their dimensions."""

DEFAULT_MODEL = "mobilenet_v2"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--like", metavar="SOC", help="Begin with a copy of a shipped SoC, comments and all.")
@click.option("--cores", type=click.IntRange(1, 1024), help="CPU cores.  [default: 4]")
@click.option("--clock", metavar="HERTZ", help="Theirs.  [default: 2 GHz]")
@click.option(
    "--tops", type=click.FloatRange(0, 1e4), metavar="TOPS",
    help="The NPU's int8 operations a second, in 10^12; 0: there is no NPU.  [default: 4]",
)  # fmt: skip
@click.option("--sram", metavar="BYTES", help="The NPU's memory.  [default: 1 MiB]")
@click.option("--bandwidth", metavar="BYTES/S", help="Of the DRAM.  [default: 12.8 GB/s]")
@click.option("--memory", metavar="BYTES", help="Size of the DRAM.  [default: 4 GiB]")
@click.option(
    "--model", "models", metavar="MODEL", multiple=True,
    help=f"A network of the zoo, or a file. May be repeated.  [default: {DEFAULT_MODEL}]",
)  # fmt: skip
def command(
    directory: Path,
    like: str | None,
    models: tuple[str, ...],
    cores: int | None,
    tops: float | None,
    **quantities: str | None,
) -> None:
    """Write a commented SoC and scenario to begin with.

    Both go into DIRECTORY, ready to run and to edit. The SoC is a copy of a shipped one (--like
    mobile-flagship; 'hetsim list socs' names them), or made from a few numbers, with everything
    else marked as an estimate. Nothing that is there already is replaced.
    """
    from hetsim.drafts import write_file
    from hetsim.errors import ResultsError
    from hetsim.scenario.loader import load_scenario
    from hetsim.scenario.sketch import scenario_text

    numbers = {"cores": cores, "tops": tops, **quantities}
    given = [f"--{name}" for name, value in numbers.items() if value is not None]
    if like is not None and given:
        raise click.UsageError(f"--like copies a SoC as it is; {given[0]} makes one from numbers")
    if tops == 0 and quantities["sram"] is not None:
        raise click.UsageError("--sram is the NPU's, and with --tops 0 there is none")
    name = re.sub(r"\W+", "-", directory.resolve().name).strip("-_") or "first"
    soc = _copied(like, name) if like is not None else _sketched(name, cores, tops, quantities)
    named = _named(models or (DEFAULT_MODEL,))
    texts = {"soc.yaml": soc, "scenario.yaml": scenario_text(name, "./soc.yaml", named)}
    for file in texts:
        if (directory / file).exists():
            raise ResultsError(
                f"{directory / file} is there already, and init replaces nothing",
                hint="name another directory",
            )
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_file(directory / file, text, replace=False)
    load_scenario(directory / "scenario.yaml")
    click.echo(f"wrote {directory / 'soc.yaml'} and {directory / 'scenario.yaml'}; now:")
    click.echo(f"  hetsim run {directory / 'scenario.yaml'}")


def _copied(like: str, name: str) -> str:
    """The text of a shipped SoC under another name; paths in it stay what they mean."""
    from hetsim.errors import Location
    from hetsim.library import find

    path = find("socs", like, where=Location("--like"))
    text = path.read_text(encoding="utf-8")

    def whole(found: re.Match[str]) -> str:
        file = path.parent / found[2]
        return f"{found[1]}{file.absolute()}" if file.is_file() else found[0]

    text = re.sub(r"\b((?:learned|profile): )([\w./-]+)", whole, text)
    text = re.sub(r"(?m)^name: .*$", f"name: {name}", text, count=1)
    return f"# Begun by 'hetsim init' as a copy of {like}; what follows is that file.\n{text}"


def _sketched(
    name: str, cores: int | None, tops: float | None, quantities: dict[str, str | None]
) -> str:
    from hetsim.soc.sketch import Sketch, soc_text

    given: dict[str, Any] = {} if cores is None else {"cores": cores}
    for key, text in quantities.items():
        if text is not None:
            given["capacity" if key == "memory" else key] = _positive(key, text)
    if tops is not None:
        given["ops_per_s"] = tops * 1e12
    return soc_text(Sketch(name, **given))


def _positive(key: str, text: str) -> float:
    from hetsim.errors import ConfigError, Location, UnitError
    from hetsim.units import parse_quantity

    try:
        value = parse_quantity(text, QUANTITIES[key])
    except UnitError as error:
        error.where = Location(f"--{key}")
        raise
    if value <= 0:
        raise ConfigError(f"{text!r} is not above zero", where=Location(f"--{key}"))
    return value


def _named(models: Sequence[str]) -> list[str]:
    """Networks as a scenario in another directory names them: files by their whole paths.

    Raises:
        ConfigError: a file that is not there, or two networks of one name.
        WorkloadError: a name that is not in the zoo.
    """
    from hetsim.errors import ConfigError, Location, WorkloadError
    from hetsim.infiles import user_path
    from hetsim.workload.formats import names_file
    from hetsim.workload.zoo.registry import find_model

    where = Location("--model")
    named: dict[str, str] = {}
    for model in models:
        path = user_path(model, where)
        label, text = (path.stem, str(path.absolute())) if names_file(path) else (model, model)
        if label in named:
            raise ConfigError(f"two networks are called {label!r}", where=where, hint="name one")
        if label == model:
            try:
                find_model(model)
            except WorkloadError as error:
                error.where = where
                raise
        elif not path.is_file():
            problem = "is a directory" if path.is_dir() else "does not exist"
            raise ConfigError(f"model file {model!r} {problem}", where=where)
        named[label] = text
    return list(named.values())
