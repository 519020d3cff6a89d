"""``hetsim verify``: plans simulated, and run for real on this machine."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import SEED
from hetsim.cli.progress import progress_bar
from hetsim.host.engines.registry import DEFAULT_ENGINE, engine_names, find_engine

if TYPE_CHECKING:
    from hetsim.host.network import Network
    from hetsim.host.verdict import Verdict
    from hetsim.host.verify import Schedulers
    from hetsim.scenario.loader import Scenario


@click.command()
@click.argument("scenario", required=False)
@click.option("--scenario", "named", metavar="SCENARIO", help="The same as the argument.")
@click.option("--rounds", type=click.IntRange(min=1), default=30, show_default=True,
              help="How often every plan is run.")  # fmt: skip
@click.option("--patience", default="60 s", show_default=True, metavar="TIME",
              help="How long to wait for quiet rounds of a network on a busy machine.")  # fmt: skip
@click.option(
    "--engine", type=click.Choice(engine_names()), default=DEFAULT_ENGINE,
    show_default=True, help="The runtime that runs the plans; the one that the profile is of.",
)  # fmt: skip
@click.option(
    "--stored", is_flag=True,
    help="Simulate with the times in the SoC's files, and measure no kernel again.",
)  # fmt: skip
@click.option(
    "--sessions", type=click.IntRange(min=1), default=1, show_default=True,
    help="How often all of it is done, to see how repeatable it is.",
)  # fmt: skip
@click.option("--seed", type=SEED, help="Feeds stripped weights and inputs.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, nothing else.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.json",
    help="Also write the outcome as JSON.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite FILE.json.")
def command(
    scenario: str | None,
    named: str | None,
    rounds: int,
    patience: str,
    engine: str,
    stored: bool,
    sessions: int,
    seed: int | None,
    as_json: bool,
    output: Path | None,
    force: bool,
) -> int:
    """Run plans on this machine and compare with the simulation.

    SCENARIO names networks, schedulers and a SoC of this machine's CPU workers, as
    'hetsim profile --measure onnxruntime' writes it. Networks are cut into the plans' partitions,
    which run on pinned workers.
    """
    if (scenario is None) == (named is None):
        raise click.UsageError("name one scenario")
    from hetsim.drafts import write_file
    from hetsim.errors import ResultsError
    from hetsim.host.machine import this_machine
    from hetsim.host.verify import verify
    from hetsim.scenario.loader import load_scenario
    from hetsim.units import parse_quantity

    seconds = parse_quantity(patience, "time")
    runtime = find_engine(engine)
    runtime.check()
    if output is not None and output.exists() and not force:
        raise ResultsError(f"{output} exists", hint="choose another file, or add --force")
    loaded = load_scenario(scenario or str(named))
    networks = _networks(loaded, loaded.seed if seed is None else seed)
    verdicts: list[Verdict] = []
    for number in range(sessions):
        with progress_bar(wanted=not as_json) as progress:
            verdict = verify(
                loaded.soc, networks, _schedulers(loaded), this_machine(), runtime,
                rounds=rounds, patience_s=seconds, execution=loaded.execution, stored=stored,
                progress=progress,
            )  # fmt: skip
        verdicts.append(verdict)
        if not as_json:
            if sessions > 1:
                click.echo(f"session {number + 1} of {sessions}")
            _print(verdict)
    if sessions > 1 and not as_json:
        _print_sessions(verdicts)
    first, *others = [_plain(verdict, loaded) for verdict in verdicts]
    text = json.dumps(first | ({"sessions": [first, *others]} if others else {}), indent=2) + "\n"
    if output is not None:
        write_file(output, text, replace=force)
    if as_json:
        click.echo(text, nl=False)
    return max(_complaints(verdict) for verdict in verdicts)


def _complaints(verdict: Verdict) -> int:
    """Says what was wrong; returns the exit code."""
    wrong = [outcome for outcome in verdict.outcomes if not outcome.equal]
    for outcome in wrong:
        click.echo(
            f"error: {outcome.model} / {outcome.label}: outputs differ from the uncut model's by"
            f" {outcome.deviation:.2g} of their largest value",
            err=True,
        )
    for model, label, reason in verdict.failures:
        click.echo(f"error: {model} / {label}: {reason}", err=True)
    return 2 if wrong or verdict.failures else 0


def _networks(loaded: Scenario, seed: int) -> list[Network]:
    from hetsim.host.network import load_network

    return [load_network(ref.path or ref.name, sizes=ref.sizes, seed=seed) for ref in loaded.models]


def _schedulers(loaded: Scenario) -> Schedulers:
    return [(ref.label, ref.create) for ref in loaded.schedulers]


def _plain(verdict: Verdict, loaded: Scenario) -> dict[str, object]:
    from hetsim.host.verdict import TOLERANCE

    return {
        "schema": "hetsim.verify/1",
        "scenario": loaded.name,
        "soc": loaded.soc.name,
        "pinned": verdict.pinned,
        "output_tolerance": TOLERANCE,
        "median_absolute_error": _finite(verdict.median_error),
        "median_absolute_composed_error": _finite(verdict.median_composed_error),
        "median_absolute_error_undisturbed": _finite(verdict.undisturbed().median_error),
        "drift": dict(verdict.drift),
        "plans_disturbed": sum(o.disturbed for o in verdict.outcomes),
        "pairs_apart": len(verdict.pairs()),
        "pairs_ranked_right": len(verdict.ranked_right()),
        "plans": [
            {
                "model": o.model,
                "plan": o.label,
                "partitions": len(o.plan.partitions),
                "parallel": o.parallel,
                "simulated_s": o.simulated_s,
                "measured_s": o.measured.median_s,
                "spread_s": o.measured.spread_s,
                "wall_s": o.wall_s,
                "rounds": o.rounds,
                "rounds_counted": o.measured.samples,
                "rounds_undisturbed": o.quiet_rounds,
                "composed_s": o.composed_s,
                "error": o.error,
                "range_s": o.range_s,
                "within_range": o.within,
                "composed_error": o.composed_error,
                "output_deviation": o.deviation,
                "outputs_equal": o.equal,
            }
            for o in verdict.outcomes
        ],
        "failures": [
            {"model": model, "plan": label, "reason": reason}
            for model, label, reason in verdict.failures
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print(verdict: Verdict) -> None:
    from rich.console import Console
    from rich.table import Table

    from hetsim.host.clock import FEWEST
    from hetsim.host.verdict import APART, TOLERANCE
    from hetsim.soc.uncertainty import LEVEL

    table = Table("network and plan", box=None)
    for title in (
        "parts",
        "simulated\nms",
        "measured\nms",
        "error",
        "quiet\nrounds",
        "composed\nms",
        "error",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for model in dict.fromkeys(o.model for o in verdict.outcomes):
        table.add_row(model, style="bold")
        for o in verdict.outcomes:
            if o.model != model:
                continue
            composed = o.composed_error
            table.add_row(
                f"  {o.label}", f"{len(o.plan.partitions)}{' ∥' if o.parallel else '  '}",
                f"{o.simulated_s * 1e3:.3f}", f"{o.measured.median_s * 1e3:.3f}",
                f"{o.error:+.1%}", f"{o.quiet_rounds}/{o.rounds}",
                f"{o.composed_s * 1e3:.3f}" if o.composed_s else "–",
                "–" if composed is None else f"{composed:+.1%}",
            )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(
        "∥ runs partitions at the same time; composed: from the partitions' processor times alone"
    )
    right, pairs = len(verdict.ranked_right()), len(verdict.pairs())
    console.print(
        f"median absolute error {verdict.median_error:.1%} over {len(verdict.outcomes)} plans;"
        f" {right} of {pairs} pairs that differ by more than {APART:.0%} are ranked right;"
        f" outputs of {sum(o.equal for o in verdict.outcomes)} plans equal the uncut model's within"
        f" {TOLERANCE:g} of their largest value"
    )
    ranged = [o.within for o in verdict.outcomes if o.within is not None]
    if ranged:
        console.print(
            f"{sum(ranged)} of {len(ranged)} measured times lie within the {LEVEL:.0%} range of the"
            " simulated one"
        )
    if math.isfinite(verdict.median_composed_error):
        error = f"{verdict.median_composed_error:.1%}"
        console.print(f"against composed latencies the median absolute error is {error}")
    busy = sum(o.disturbed for o in verdict.outcomes)
    quiet = verdict.undisturbed()
    if busy and quiet.outcomes:
        console.print(
            f"of the {len(quiet.outcomes)} plans that ran undisturbed it is"
            f" {quiet.median_error:.1%}, and {len(quiet.ranked_right())} of"
            f" {len(quiet.pairs())} pairs are ranked right"
        )
    if busy:
        console.print(
            f"the machine was busy: {busy} plans had no {FEWEST} undisturbed rounds, and their"
            " measured latencies are too long; repeat on an idle machine",
            style="yellow",
        )
    if verdict.drift:
        worst = max(verdict.drift, key=lambda name: verdict.drift[name])
        console.print(
            f"the machine's pace changed by {verdict.drift[worst] - 1:.1%} at most while a network"
            f" was measured ({worst}); times are corrected for it"
        )
    if not verdict.pinned:
        console.print("workers could not be pinned to cores here")


def _print_sessions(verdicts: Sequence[Verdict]) -> None:
    """How much the sessions agree."""
    errors = ", ".join(f"{verdict.median_error:.1%}" for verdict in verdicts)
    right = sum(len(verdict.ranked_right()) for verdict in verdicts)
    pairs = sum(len(verdict.pairs()) for verdict in verdicts)
    measured: dict[tuple[str, str], list[float]] = {}
    for outcome in (o for verdict in verdicts for o in verdict.outcomes):
        measured.setdefault((outcome.model, outcome.label), []).append(outcome.measured.median_s)
    spreads = {key: max(times) / min(times) - 1 for key, times in measured.items()}
    click.echo(
        f"{len(verdicts)} sessions: median absolute errors {errors}; {right} of {pairs} pairs are"
        " ranked right"
    )
    if spreads:
        model, label = max(spreads, key=lambda key: spreads[key])
        click.echo(
            f"measured latencies of one plan differ by {median(spreads.values()):.1%} between"
            f" sessions (median over plans), by {spreads[model, label]:.1%} at most"
            f" ({model} / {label})"
        )
