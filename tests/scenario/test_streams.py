"""Streams in scenario files: what they mean, what is refused and where, and how they are varied."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

import hetsim
from hetsim.errors import ConfigError, HetsimError
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario
from hetsim.scenario.variants import varied

TEXT = """\
hetsim: scenario/1
name: pair
soc: zcu102-vta
models: [squeezenet, alexnet]
schedulers: [npu_only, heft]
streams:
  - name: camera
    model: squeezenet
    arrivals: {kind: periodic, period: 30 Hz, jitter: 2 ms}
    priority: 2
    deadline: 40 ms
    deadline_from: release
    late: drop
    queue: 1
    when_full: oldest
    in_flight: 2
  - model: alexnet
    arrivals: {kind: after, stream: camera, probability: 0.5}
    count: 9
    scheduler: heft
serve: {duration: 2 s, warm_up: 100 ms, preemption_cost: 5 us, backlog: 50}
"""


@pytest.fixture
def load(tmp_path: Path):
    def read(text: str = TEXT, overrides: dict[str, object] | None = None):
        file = tmp_path / "pair.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file, overrides)

    return read


def test_every_field_arrives(load):
    service = load().service
    camera, crops = service.streams
    assert (camera.name, camera.model, camera.priority) == ("camera", "squeezenet", 2)
    assert (camera.deadline_s, camera.deadline_from, camera.late) == (0.04, "release", "drop")
    assert (camera.queue, camera.when_full, camera.in_flight) == (1, "oldest", 2)
    assert (camera.start_s, camera.until_s, camera.count) == (0.0, inf, None)
    assert (crops.name, crops.count, crops.scheduler) == ("alexnet", 9, "heft")
    assert (service.duration_s, service.warm_up, service.backlog) == (2.0, 0.1, 50)
    assert service.preemption_cost_s == pytest.approx(5e-6)


def test_rates_follow_the_chain(load):
    rates = load().service.rates()
    assert rates == pytest.approx({"camera": 30.0, "alexnet": 15.0})
    closed = TEXT.replace("{kind: periodic, period: 30 Hz, jitter: 2 ms}", "{kind: closed}")
    assert load(closed).service.rates() == {"camera": None, "alexnet": None}


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("model: squeezenet", "model: squeze", 8, "streams[0].model: the scenario has no model"),
        ("scheduler: heft", "scheduler: hoft", 20, "no scheduler 'hoft'"),
        ("stream: camera", "stream: kamera", 18, "follows 'kamera', and there is no such stream"),
        ("name: camera", "name: alexnet", 17, "two streams are called 'alexnet'"),
        ("duration: 2 s, ", "", 7, "stream 'camera' never ends"),
        ("deadline: 40 ms", "deadline: 0 ms", 11, "'0 ms' must be more than zero"),
        ("queue: 1", "queue: 0", 15, "streams[0].when_full: has no effect: 'queue' is absent"),
        ("    deadline: 40 ms\n", "", 11, "has no effect: 'deadline' is absent"),
        ("in_flight: 2", "start: 3 s", 16, "enters after 3 s, and nothing arrives after the"),
        ("in_flight: 2", "until: 0 s", 16, "must be more than zero"),
        ("in_flight: 2", "start: 1 s\n    until: 1 s", 17, "it leaves before it enters"),
        ("in_flight: 2", "in_flght: 2", 16, "unknown field 'in_flght'; did you mean"),
        ("jitter: 2 ms", "jiter: 2 ms", 9, "unknown field 'jiter'; did you mean 'jitter'"),
        ("period: 30 Hz", "period: 30", 9, "30 has no unit"),
        ("period: 30 Hz", "period: -30 Hz", 9, "'-30 Hz' must be more than zero"),
        ("kind: periodic", "kind: peridic", 9, "unknown arrivals 'peridic'; did you mean"),
        ("{kind: periodic, period: 30 Hz, jitter: 2 ms}", "30 Hz", 9, "mapping with a 'kind'"),
        ("probability: 0.5", "probability: 1.5", 18, "1.5 is out of range"),
        ("scheduler: heft", "plan: nowhere.yaml", 20, "does not exist"),
        ("warm_up: 100 ms", "warm_up: 2 s", 21, "nothing is left after a 'warm_up' of 2 s"),
        ("period: 30 Hz, jitter: 2 ms", "period: 1 ps", 7, "brings 2e+12 inferences; at most"),
        ("backlog: 50", "dispatchers: [edff]", 21, "there is no dispatcher 'edff'"),
        ("soc: zcu102-vta", "soc: zcu102-vta\nexecution: barrier", 4, "has no effect on 'streams'"),
        ("streams:", "streams: []\nstrems:", 7, "unknown field 'strems'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(load, old, new, line, says):
    assert old in TEXT
    with pytest.raises(HetsimError) as told:
        load(TEXT.replace(old, new))
    assert says in str(told.value)
    assert told.value.where.line == line


def test_a_circle_of_triggers_is_named(load):
    text = TEXT.replace(
        "{kind: periodic, period: 30 Hz, jitter: 2 ms}",
        "{kind: after, stream: alexnet, probability: 0.1}",
    )
    with pytest.raises(ConfigError, match="'camera' after 'alexnet' after 'camera'"):
        load(text)
    own = TEXT.replace("kind: after, stream: camera", "kind: after, stream: alexnet")
    with pytest.raises(ConfigError, match="'alexnet' after 'alexnet'"):
        load(own)


def test_serving_nothing_is_refused(load):
    text = TEXT[: TEXT.index("streams:")] + "serve: {duration: 1 s}\n"
    with pytest.raises(ConfigError, match="'serve' has no effect: there are no 'streams'"):
        load(text)


def test_a_trace_is_relative_to_the_scenario(load, tmp_path):
    (tmp_path / "t.csv").write_text("t_ms\n1\n2\n", encoding="utf-8")
    text = TEXT.replace(
        "{kind: periodic, period: 30 Hz, jitter: 2 ms}", "{kind: trace, file: t.csv}"
    )
    assert list(load(text).service.streams[0].arrivals.times(None)) == [1e-3, 2e-3]
    with pytest.raises(ConfigError, match=r"pair.yaml:9:35: trace .*x.csv' does not exist"):
        load(text.replace("t.csv", "x.csv"))


CHANGES = {
    "streams.camera.deadline": "50 ms",
    "streams.camera.arrivals.period": "2x",
    "streams.alexnet.count": "4",
    "streams.1.arrivals.probability": "0.25",
    "serve.duration": "1 s",
}


def expect_changes(service):
    camera, crops = service.streams
    assert camera.deadline_s == 0.05
    assert camera.arrivals.rate == pytest.approx(60.0)
    assert (crops.count, crops.arrivals.probability) == (4, 0.25)
    assert service.duration_s == 1.0


def test_streams_are_changed_by_name(load):
    expect_changes(load(overrides=CHANGES).service)
    expect_changes(varied(load(), CHANGES).service)


def test_a_change_of_no_stream_is_told(load):
    for attempt in (lambda c: load(overrides=c), lambda c: varied(load(), c)):
        with pytest.raises(ConfigError, match=r"did you mean 'camera'"):
            attempt({"streams.camra.deadline": "50 ms"})
        with pytest.raises(ConfigError, match=r"--set streams.camera.dedline.*: .*unknown field"):
            attempt({"streams.camera.dedline": "50 ms"})


def test_other_models_and_schedulers_must_leave_the_streams_theirs(load):
    assert choose(load(), schedulers=["heft"]).service is not None
    with pytest.raises(ConfigError, match="stream 'alexnet' is planned by 'heft'"):
        choose(load(), schedulers=["npu_only"])
    with pytest.raises(ConfigError, match="stream 'camera' runs 'squeezenet'"):
        choose(load(), models=["alexnet"])
    with pytest.raises(ConfigError, match="execution 'barrier' has no effect on 'streams'"):
        choose(load(), execution="barrier")


@pytest.mark.slow
def test_a_notebook_gets_what_was_served(load):
    scenario = load(overrides={"streams.alexnet.count": 1, "serve.duration": "200 ms"})
    result = hetsim.run(scenario, schedulers=["heft"])
    (run,) = result.runs
    assert [found.stream.name for found in run.streams] == ["camera", "alexnet"]
    with pytest.raises(ConfigError, match=r"streams runs no other plans\n.*streams.NAME.plan"):
        hetsim.run(scenario, plans=["some.yaml"])
