"""``hetsim calibrate``: fits cost models to measurements and says how wrong they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import click

from hetsim.cli.options import SEED, sized

if TYPE_CHECKING:
    from hetsim.calibrate.folds import Split
    from hetsim.workload.sizes import Sizes

SOURCES: Mapping[str, frozenset[str]] = {
    "--measurements": frozenset({"pu", "device", "learned", "split", "max_dropped"}),
    "--networks": frozenset(
        {"pu", "device", "graphs", "precision", "runtime", "doubtful", "split"}
    ),
    "--simulate": frozenset(
        {"pu", "models", "base", "learned", "dims", "input_shapes", "max_outputs"}
    ),
}
"""What can be learned from, and the parameters that mean something there and not everywhere."""


@click.command()
@click.argument("soc", required=False)
@click.option("--pu", metavar="NAME", help="The processing unit of SOC that was measured.")
@click.option(
    "--measurements",
    "file",
    metavar="FILE.csv",
    help="Operators that were measured; measured_conv_latency.csv ships with hetsim.",
)
@click.option(
    "--networks",
    metavar="FILE.csv",
    help="Whole networks that were measured; measured_networks.csv ships with hetsim.",
)
@click.option(
    "--graphs",
    metavar="DIR",
    help="With --networks: the networks' files and their index.csv.  [default: built-in ones]",
)
@click.option("--precision", metavar="NAME", help="Use only this precision, such as float or w8a8.")
@click.option(
    "--runtime",
    metavar="NAME,...",
    help="With --networks: use only what these runtimes ran.  [default: all]",
)
@click.option(
    "--include-doubtful",
    "doubtful",
    is_flag=True,
    help="Use rows, too, that may not be what their graph is.",
)
@click.option(
    "--simulate",
    type=click.Choice(["tile"]),
    help="Learn from hetsim's own simulation at this fidelity instead: a fast stand-in for it.",
)
@click.option(
    "--models",
    metavar="NAME,FILE,...",
    help="With --simulate: the networks whose operators are simulated.  [default: all built in]",
)
@sized
@click.option(
    "--base",
    type=click.Choice(["array", "roofline", "fluid"]),
    default="array",
    show_default=True,
    help="With --simulate --learned: the physical model that is corrected.",
)
@click.option("--device", metavar="NAME", help="Use only this device of the file.")
@click.option("--learned", is_flag=True, help="Also train the learned model.")
@click.option(
    "--split",
    type=click.Choice(["family", "shape", "row", "network"]),
    default="family",
    show_default=True,
    help="What is kept aside together. Of operators: families of the file, equal input size and"
    " kernel, or rows. Of networks: families of one architecture, or each network by itself.",
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--max-dropped",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Share of unusable rows above which the file is refused.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Directory for report.json, scatter plots, the calibrated SoC and the learned model.",
)
@click.option("--force", is_flag=True, help="Overwrite files in OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else.")
def command(
    soc: str | None,
    pu: str | None,
    file: str | None,
    networks: str | None,
    graphs: str | None,
    precision: str | None,
    runtime: str | None,
    doubtful: bool,
    simulate: str | None,
    models: str | None,
    sizes: Sizes,
    base: str,
    device: str | None,
    learned: bool,
    split: str,
    folds: int,
    seed: int,
    max_dropped: float,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Fit the cost models of a SoC to measurements.

    Errors are those of rows kept aside, beside the uncalibrated model (when SOC is given) and
    a plain roofline fit. Without SOC it reports errors only: of every device in the file.
    Whole networks are kept aside by family, as measured latencies of runtimes are near copies.

    \b
    hetsim calibrate --measurements M.csv --learned                    errors only
    hetsim calibrate SOC --pu cpu --measurements M.csv --learned -o D  SoC and learned model
    hetsim calibrate --networks N.csv --graphs DIR -o D                errors of whole networks
    hetsim calibrate SOC --pu npu --simulate tile --learned -o D       stand-in for fidelity: tile
    """
    _check_use({"--measurements": file, "--networks": networks, "--simulate": simulate})
    if (soc is None) != (pu is None):
        raise click.UsageError("a SOC and --pu go together: which unit of which SoC was measured?")
    if simulate is not None:
        from hetsim.cli.standin import stand_in

        if soc is None or pu is None:
            raise click.UsageError("--simulate needs a SOC and its unit: SOC --pu NAME")
        stand_in(
            soc, pu, models, sizes, base=base, learned=learned, folds=folds, seed=seed,
            output=output, force=force, as_json=as_json,
        )  # fmt: skip
    elif networks is not None:
        from hetsim.cli.networks import whole_networks

        if split in ("shape", "row"):
            raise click.UsageError(f"--split {split} goes with --measurements")

        whole_networks(
            networks, graphs, soc, pu, device=device, precision=precision,
            runtimes=[name.strip() for name in runtime.split(",")] if runtime else [],
            doubtful=doubtful,
            alone=split == "network", folds=folds, seed=seed, output=output, force=force,
            as_json=as_json,
        )  # fmt: skip
    else:
        from hetsim.cli.operators import operators

        if split == "network":
            raise click.UsageError("--split network goes with --networks")

        assert file is not None
        operators(
            file, soc, pu, device=device, learned=learned, split=cast("Split", split), folds=folds,
            seed=seed, max_dropped=max_dropped, output=output, force=force, as_json=as_json,
        )  # fmt: skip


def _check_use(sources: Mapping[str, str | None]) -> None:
    """Refuses several sources, and options that would do nothing."""
    given = [option for option, value in sources.items() if value is not None]
    if len(given) != 1:
        every = " and ".join([", ".join([*sources][:-1]), [*sources][-1]])
        raise click.UsageError(f"one of {every} says what to learn from")
    context = click.get_current_context()
    options = {param.name: param for param in context.command.params}
    for name in frozenset().union(*SOURCES.values()) - SOURCES[given[0]]:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            others = [option for option, names in SOURCES.items() if name in names]
            raise click.UsageError(f"{options[name].opts[0]} goes with {' and '.join(others)}")
