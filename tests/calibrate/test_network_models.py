"""Models of whole networks and their judge: what is kept aside, what is compared, what is equal."""

from __future__ import annotations

import numpy as np
import pytest

from hetsim.calibrate.networks.blend import BlendModel
from hetsim.calibrate.networks.careless import CarelessModel
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.judge import ANCHORS, anchors, judge_known, judge_new, score
from hetsim.calibrate.networks.kinship import class_of, families, stem
from hetsim.calibrate.networks.logadditive import LogAdditiveModel
from hetsim.calibrate.networks.precision import precision_of
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.errors import ConfigError
from hetsim.workload.graph import Graph, Operator, Tensor
from hetsim.workload.networks import load_network

NETWORKS = ("resnet18", "resnet50", "mobilenet_v2", "squeezenet", "densenet121", "vgg19")


@pytest.fixture(scope="module")
def graphs():
    return {name: load_network(name) for name in NETWORKS}


def case(name, graph, device="A", seconds=1e-3, precision="float", runtime="r"):
    row = NetworkTime(name, device, runtime, seconds, precision=precision, unit="npu")
    return MeasuredNetwork(row, graph, precision_of(precision), stem(name), class_of(graph))


def many(graphs, devices=("A", "B", "C"), count=24):
    """Networks of ``count`` families whose times are exactly a rate times their work."""
    names = list(graphs)
    return [
        case(f"{chr(97 + i)}net", graphs[names[i % len(names)]], device, (1 + d) * 1e-3 * (1 + i))
        for d, device in enumerate(devices)
        for i in range(count)
    ]


class Recorder:
    """Predicts 1 s and keeps what it was given."""

    name = "recorder"

    def __init__(self):
        self.fits, self.asked = [], []

    def fit(self, cases, others=()):
        self.fits.append((list(cases), list(others)))
        return self

    def predict(self, cases):
        self.asked.append(list(cases))
        return np.ones(len(cases))


@pytest.mark.slow
def test_a_family_kept_aside_is_seen_on_no_device(graphs) -> None:
    spy = Recorder()
    cases = many(graphs)
    judged = judge_known(cases, [spy], folds=4)
    assert sorted(map(id, judged.cases)) == sorted(map(id, cases))
    for (given, others), asked in zip(spy.fits, spy.asked, strict=True):
        device = {c.device for c in asked}
        assert {c.device for c in given} == device
        assert device.isdisjoint(c.device for c in others)
        assert {c.family for c in asked}.isdisjoint(c.family for c in [*given, *others])


def test_a_new_device_is_given_ten_networks_over_the_range_of_work(graphs) -> None:
    spy = Recorder()
    cases = many(graphs)
    judge_new(cases, [spy], draws=2)
    for (given, others), asked in zip(spy.fits, spy.asked, strict=True):
        assert len({c.row.network for c in given}) == ANCHORS
        assert {c.row.network for c in given}.isdisjoint(c.row.network for c in asked)
        assert {c.row.network for c in asked} <= {c.row.network for c in others}
    here = [c for c in cases if c.device == "A"]
    assert anchors(here, 0, 0) == anchors(here[::-1], 0, 0) != anchors(here, 0, 1)


def test_a_device_with_few_networks_is_not_judged_as_a_new_one(graphs) -> None:
    assert judge_new(many(graphs, count=2 * ANCHORS - 1), [Recorder()]).cases == ()
    assert judge_new(many(graphs, devices=("A",)), [Recorder()]).cases == ()


def test_the_table_of_factors_is_exact_where_devices_differ_by_a_factor(graphs) -> None:
    judged = judge_new(many(graphs), [LogAdditiveModel()])
    assert score(judged, "log-additive").p90 == pytest.approx(0, abs=1e-9)
    assert score(judged, "log-additive").rank == pytest.approx(1)


def test_the_careless_model_finds_the_rates_it_assumes(graphs) -> None:
    model = CarelessModel()
    rates = np.array([1e-12, 2e-12, 3e-12, 4e-12, 1e-11, 1e-11, 1e-10, 1e-11, 1e-6, 1e-4])
    cases = [case(name, graph) for name, graph in graphs.items()]
    cases = [
        case(c.row.network, c.graph, seconds=float(model.counts([c])[0] @ rates)) for c in cases
    ]
    found = model.fit(cases).predict(cases)
    assert found == pytest.approx([c.seconds for c in cases], rel=1e-4)


def test_the_careless_model_fits_precisions_apart_and_says_nothing_of_others(graphs) -> None:
    cases = [case(n, g, seconds=1e-3) for n, g in graphs.items()]
    fast = [case(n, g, seconds=1e-4, precision="w8a8") for n, g in graphs.items()]
    fitted = CarelessModel().fit([*cases, *fast])
    assert np.median(fitted.predict(cases)) > 5 * np.median(fitted.predict(fast))
    unknown = case("x", cases[0].graph, precision="w8a16")
    assert np.isnan(fitted.predict([unknown])).all()
    with pytest.raises(ConfigError, match="too few"):
        CarelessModel().fit(cases[:3])


def test_a_score_counts_what_all_models_judge_and_is_symmetric_in_nothing() -> None:
    graph = load_network("resnet18")
    cases = [case(f"{chr(97 + i)}n", graph, seconds=1.0) for i in range(10)]

    class Half(Recorder):
        name = "half"

        def predict(self, cases):
            return np.array([np.nan if c.family == "an" else 0.5 for c in cases])

    judged = judge_known(cases, [Half(), Recorder()])
    assert score(judged, "half").rows == score(judged, "recorder").rows == 9
    assert score(judged, "half").median == pytest.approx(0.5)
    assert score(judged, "half").bias == pytest.approx(-0.5)
    assert score(judged, "recorder").within_20 == 1
    assert np.isnan(score(judged, "half").rank)


def test_a_model_that_cannot_be_fitted_is_told_and_hides_nobody(graphs) -> None:
    class Refuses(Recorder):
        name = "refuses"

        def fit(self, cases, others=()):
            raise ConfigError("no")

    judged = judge_known(many(graphs, count=6), [Refuses(), Recorder()])
    assert np.isnan(judged.predicted["refuses"]).all()
    assert np.isfinite(judged.predicted["recorder"]).all()
    assert any("refuses on A" in note for note in judged.notes)


def test_families_are_names_that_begin_alike_and_networks_of_the_same_layers(graphs) -> None:
    named = {name: [graph] for name, graph in graphs.items()} | {"detector": [graphs["resnet50"]]}
    found = families(named)
    assert found["resnet18"] == found["resnet50"] == found["detector"] == "resnet"
    assert len(set(found.values())) == len(NETWORKS) - 1


def test_the_class_of_a_network_is_read_off_its_graph(graphs) -> None:
    assert class_of(graphs["mobilenet_v2"]) == "depthwise"
    assert class_of(graphs["resnet50"]) == "convolutional"
    for shape, kind in {
        (1, 8): "signal",
        (1, 3, 8, 8): "convolutional",
        (1, 3, 512, 512): "large images",
        (1, 3, 2, 8, 8): "video",
        (1, 3, 2, 2, 8, 8): "convolutional",
    }.items():
        assert class_of(pointwise(shape, "float32")) == kind
    assert class_of(pointwise((1, 8), "int64")) == "language"


def pointwise(shape: tuple[int, ...], dtype: str) -> Graph:
    """A network of one activation function, whatever it is given."""
    tensors = [Tensor(name, shape, dtype) for name in ("in", "out")]
    return Graph.create(
        "one", [Operator("act", "Relu", ("in",), ("out",))], tensors, ["in"], ["out"]
    )


def test_a_blend_finds_a_device_between_two_others_where_a_factor_does_not() -> None:
    """Two devices that networks suit differently, and a third in their middle."""
    graph = load_network("squeezenet1_1")
    names = [f"{chr(97 + i)}net" for i in range(24)]
    rng = np.random.default_rng(1)
    first, second = rng.uniform(1, 10, 24), rng.uniform(1, 10, 24)
    times = {"A": first, "B": second, "C": 0.5 * first + 0.5 * second}
    cases = [
        case(name, graph, device, float(of[i]))
        for device, of in times.items()
        for i, name in enumerate(names)
    ]
    table, blend = LogAdditiveModel(), BlendModel(CarelessModel())
    judged = judge_new(cases, [table, blend], devices=["C"])
    assert score(judged, "blend").median < 0.5 * score(judged, "log-additive").median


def test_a_blend_is_the_table_where_devices_differ_by_a_factor_and_says_nothing_of_the_unknown(
    graphs,
) -> None:
    cases = many(graphs)
    judged = judge_new(cases, [BlendModel(CarelessModel())])
    assert score(judged, "blend").p90 < 1e-6
    here = [c for c in cases if c.device == "A"]
    fitted = BlendModel(CarelessModel()).fit(here, [c for c in cases if c.device != "A"])
    assert np.isnan(fitted.predict([case("unheard", graphs["resnet18"])])).all()
