"""Every field of streams, of what serves them and of what arrives does something."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from hetsim.plan.files import dump_plan
from hetsim.runs.case import Case
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import load_scenario
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.streams.arrivals.registry import arrival_kinds
from hetsim.streams.schema import ServeSpec, StreamSpec
from hetsim.workload.onnx.loader import load_onnx
from tests.study.samples import small_network

Fields = dict[str, Any]

# One inference takes 1.5 ms of the CPU and the NPU, or 3 ms of the CPU alone.
SCENARIO: Fields = {
    "hetsim": "scenario/1",
    "name": "busy",
    "soc": "edge-mcu",
    "models": [{"path": "small.onnx"}, "toy_autoencoder"],
    "schedulers": ["type_based", "cpu_only"],
    "streams": [
        {
            "name": "a", "model": "small", "priority": 0, "deadline": "3 ms", "queue": 2,
            "arrivals": {"kind": "periodic", "period": "1 ms", "jitter": "0.3 ms"},
        },
        {
            "name": "b", "model": "small", "priority": 1,
            "arrivals": {"kind": "periodic", "period": "5 ms", "offset": "0.4 ms"},
        },
        {"name": "c", "model": "toy_autoencoder",
         "arrivals": {"kind": "periodic", "period": "7 ms"}},
    ],
    "serve": {
        "duration": "20 ms", "preemption_cost": "10 us",
        "dispatchers": [{"name": "priority", "parameters": {"preemptive": True}}],
    },
}  # fmt: skip

STREAM = {
    "model": "toy_autoencoder",
    "arrivals": {"kind": "periodic", "period": "1.1 ms", "jitter": "0.3 ms"},
    "priority": 2,
    "deadline": "1.6 ms",
    "deadline_from": "release",
    "late": "drop",
    "queue": 1,
    "when_full": "oldest",
    "in_flight": 1,
    "count": 5,
    "start": "1 ms",
    "until": "15 ms",
    "scheduler": "cpu_only",
    "plan": "plan.yaml",
}
SERVE = {
    "duration": "30 ms",
    "warm_up": "5 ms",
    "dispatchers": ["fifo"],
    "preemption_cost": "100 us",
    "backlog": 2,
    "plans": ["union"],
}
ARRIVALS = {
    "periodic": ({"period": "3 ms"}, {"period": "4 ms", "offset": "1 ms", "jitter": "1 ms"}),
    "poisson": ({"period": "3 ms"}, {"period": "4 ms"}),
    "bursts": (
        {"period": "9 ms", "size": 2},
        {"period": "10 ms", "size": 3, "gap": "1 ms", "offset": "1 ms", "between": "exponential"},
    ),
    "on_off": (
        {"period": "1 ms", "active": "3 ms", "silent": "3 ms"},
        {"period": "2 ms", "active": "9 ms", "silent": "9 ms"},
    ),
    "trace": (
        {"file": "t.csv", "column": "x", "unit": "ms"},
        {"file": "u.csv", "column": "y", "unit": "us", "repeat": "9 ms"},
    ),
    "closed": (
        {"think": "1 ms"},
        {"clients": 2, "think": "2 ms", "distribution": "exponential", "offset": "1 ms"},
    ),
    "after": (
        {"stream": "b"},
        {"stream": "c", "probability": 0.5, "delay": "1 ms", "each": 2},
    ),
}


class Results:
    """What comes out of scenarios, each run once."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.known: dict[str, object] = {}
        small_network(place / "small.onnx")
        (place / "t.csv").write_text("x,y\n1,2\n4,5\n", encoding="utf-8")
        (place / "u.csv").write_text("x,y\n2,2\n4,5\n", encoding="utf-8")
        case = Case(load_onnx(place / "small.onnx"), load_soc("edge-mcu"))
        plan = case.plan(create("cpu_only"))
        (place / "plan.yaml").write_text(dump_plan(plan), encoding="utf-8")

    def of(self, *, stream: Fields = {}, serve: Fields = {}, arrivals: Fields = {}) -> object:  # noqa: B006
        """Of the scenario with other fields of its first stream: all times and all figures."""
        scenario = copy.deepcopy(SCENARIO)
        scenario["streams"][0].update(stream)
        scenario["serve"].update(serve)
        if arrivals:
            scenario["streams"][0]["arrivals"] = arrivals
        text = yaml.safe_dump(scenario)
        if text not in self.known:
            file = self.place / "busy.yaml"
            file.write_text(text, encoding="utf-8")
            loaded = load_scenario(file)
            run = Mix.of(loaded).run(loaded.contenders[0])
            assert run.error is None
            self.known[text] = (
                [
                    (list(ledger.arrival), list(ledger.start), list(ledger.finish))
                    for ledger in run.served.ledgers.values()
                ],
                [found.metrics for found in run.streams],
            )
        return self.known[text]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return Results(tmp_path_factory.mktemp("fields"))


@pytest.mark.slow
@pytest.mark.parametrize("field", STREAM)
def test_every_field_of_a_stream_moves_a_result(results, field):
    assert results.of(stream={field: STREAM[field]}) != results.of()


@pytest.mark.parametrize("field", SERVE)
def test_every_field_of_serving_moves_a_result(results, field):
    assert results.of(serve={field: SERVE[field]}) != results.of()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, (_, changes) in ARRIVALS.items() for field in changes],
)
def test_every_field_of_arrivals_moves_a_result(results, kind, field):
    base, changes = ARRIVALS[kind]
    before = {"kind": kind, **base}
    if field == "between":  # the rest between bursts is drawn only if there is one
        before = {**before, "size": 1}
    assert results.of(arrivals={**before, field: changes[field]}) != results.of(arrivals=before)


def test_no_field_is_forgotten():
    assert set(STREAM) | {"name"} == set(StreamSpec.model_fields)
    assert set(SERVE) == set(ServeSpec.model_fields)
    for kind, (_, changes) in ARRIVALS.items():
        assert set(changes) | {"kind"} == set(arrival_kinds()[kind].model_fields)
