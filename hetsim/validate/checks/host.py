"""This machine: plans simulated, and run for real on its processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from hetsim.cost.measured.files import dump_profile
from hetsim.errors import HetsimError
from hetsim.host.describe import host_profile, host_soc
from hetsim.host.engines.registry import DEFAULT_ENGINE, find_engine
from hetsim.host.machine import this_machine
from hetsim.host.network import load_network
from hetsim.host.survey import survey
from hetsim.host.verify import verify
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.tables import UnavailableError

NETWORKS = ("squeezenet", "resnet18")
SCHEDULERS = ("heft", "partition_tuner")
ROUNDS, PATIENCE_S = 15, 30.0


class ThisHost(Check):
    """Latencies of plans that run here."""

    title = "plans on this machine"
    compared = (
        "the makespan of plans for this machine's cores, simulated with kernels measured in the"
        " same minutes, beside the latency of running them; 'hetsim verify' tells more"
    )
    kind = "measured"
    unit = "s"
    source = "this machine, running ONNX Runtime"
    grouped = "network"
    on_host = True

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each plan of each network.

        Raises:
            UnavailableError: besides, other programs take the processor's time.
            HetsimError: a plan that does not run, or whose outputs are not the network's.
        """
        engine = find_engine(DEFAULT_ENGINE)
        engine.check()
        machine = this_machine()
        networks = [load_network(name) for name in NETWORKS]
        (measured,) = survey(machine, networks, [1], engine, repeats=ROUNDS)
        with TemporaryDirectory(prefix="hetsim-") as folder:
            profile = dump_profile(host_profile(measured, "host"))
            Path(folder, "profile.yaml").write_text(profile, encoding="utf-8")
            described = Path(folder, "host.yaml")
            described.write_text(host_soc(measured, "host", "profile.yaml"), encoding="utf-8")
            schedulers = [(name, lambda name=name: create(name)) for name in SCHEDULERS]
            verdict = verify(
                load_soc(described), networks, schedulers, machine, engine,
                rounds=ROUNDS, patience_s=PATIENCE_S,
            )  # fmt: skip
        for model, label, reason in verdict.failures:
            raise HetsimError(f"{model} / {label}: {reason}")
        if any(outcome.disturbed for outcome in verdict.outcomes):
            raise UnavailableError(
                "this machine is too busy to measure anything", hint="repeat when it is idle"
            )
        for outcome in verdict.outcomes:
            if not outcome.equal:
                raise HetsimError(f"{outcome.model} / {outcome.label}: its outputs are wrong")
            low, high = outcome.range_s or (None, None)
            measured_s = outcome.measured.median_s
            yield Row(outcome.label, outcome.model, measured_s, outcome.simulated_s, low, high)
