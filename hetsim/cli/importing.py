"""``hetsim profile --import``: files of other tools become profiles of hetsim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.written import tell, write_files
from hetsim.names import distinct_name, plain_name

if TYPE_CHECKING:
    from hetsim.cost.measured.readers.base import Request
    from hetsim.cost.measured.table import ProfileTable


def import_profile_files(
    form: str, request: Request, unit: tuple[str, str] | None, output: Path | None, force: bool
) -> None:
    """Writes a profile for each device that the files speak of.

    ``unit`` is the SoC and its entry of ``pus`` whose peak no time may exceed.

    Raises:
        ConfigError: what a reader refuses, a time that cannot be true.
    """
    from hetsim.cost.measured.files import dump_profile
    from hetsim.cost.measured.readers.registry import import_profiles
    from hetsim.report.files.directory import check_directory

    directory = output or Path("profiles", f"{form}-{request.files[0].stem}")
    check_directory(directory, force=force)
    tables = import_profiles(form, request)
    if unit is not None:
        _check_peak(tables, *unit)
    names = _file_names(tables)
    write_files(
        directory,
        {name: dump_profile(table) for name, table in zip(names, tables, strict=True)},
        force,
    )
    told: dict[str, None] = {}
    for name, table in zip(names, tables, strict=True):
        unable = sum(1 for entry in table.entries.values() if entry.seconds == float("inf"))
        click.echo(
            f"{directory / name}: {len(table)} operators and groups of {table.device}"
            f" ({table.scope} times), {unable} of which cannot run"
        )
        told.update(dict.fromkeys(f"{doubt.kind}: {doubt}" for doubt in table.doubts))
    tell(told)
    click.echo("attach one in a SoC file (pus: {NAME: {profile: FILE}}) or in a scenario"
               " (profiles: {NAME: FILE})")  # fmt: skip


def import_network_files(
    form: str, files: Sequence[Path], device: str | None, output: Path | None, force: bool
) -> None:
    """Writes one table of whole-network times.

    Raises:
        ConfigError: what a reader refuses.
    """
    from hetsim.calibrate.networks.readers.registry import import_networks
    from hetsim.calibrate.networks.table import dump_networks
    from hetsim.report.files.directory import check_directory

    directory = output or Path("profiles", f"{form}-{files[0].stem}")
    check_directory(directory, force=force)
    rows, doubts = import_networks(form, files, device)
    write_files(directory, {"networks.csv": dump_networks(rows)}, force)
    click.echo(
        f"{directory / 'networks.csv'}: {len(rows)} times of {len({r.network for r in rows})}"
        f" networks on {len({r.device for r in rows})} devices"
    )
    tell(dict.fromkeys(f"{doubt.kind}: {doubt}" for doubt in doubts))


def _check_peak(tables: Sequence[ProfileTable], soc_name: str, cluster: str) -> None:
    from hetsim.cost.measured.peak import refuse_impossible
    from hetsim.errors import ConfigError, Location
    from hetsim.names import suggest
    from hetsim.soc.loader import load_soc

    soc = load_soc(soc_name)
    if cluster not in soc.spec.pus:
        raise ConfigError(
            f"{soc.name} has no unit {cluster!r}",
            where=Location("--pu"),
            hint=suggest(cluster, soc.spec.pus),
        )
    for table in tables:
        refuse_impossible(table, cluster, soc)


def _file_names(tables: Sequence[ProfileTable]) -> list[str]:
    """A distinct file name for every table, from its device's name."""
    taken: set[str] = set()
    return [distinct_name(plain_name(t.name, "device"), taken) + ".yaml" for t in tables]
