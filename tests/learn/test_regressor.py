from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hetsim.calibrate.errors import ErrorMetrics, top1_regret
from hetsim.calibrate.evaluate import CALIBRATED, LEARNED, ROOFLINE, evaluate
from hetsim.calibrate.folds import assign_folds
from hetsim.calibrate.report import as_json, metrics_table, scatter_figure, worst_table
from hetsim.errors import ConfigError
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.physical.given import FLOOR, PHYSICAL, GivenBaseline
from hetsim.learn.regressor import LearnedModel, data_hash
from hetsim.learn.store import load_model, save_model
from hetsim.learn.tables import Measurements, read_measurements
from tests.learn.samples import Shape, row_of, shapes, table_of, write_file

QUICK = TrainingOptions(hidden=(24, 24), epochs=60)


def quirk(shape: Shape) -> float:
    """What no physical parameter knows: few output channels, and small pointwise, are slow."""
    c_in, _, c_out, kernel, *_ = shape
    return (1.0 + 40.0 / c_out) * (1.5 if kernel == 1 and c_in < 64 else 1.0)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Measurements:
    return table_of(tmp_path_factory.mktemp("toy"), 160, quirk=quirk, noise=0.02)


@pytest.fixture(scope="module")
def model(table: Measurements) -> LearnedModel:
    return LearnedModel.fit(table, seed=2, options=QUICK)


@pytest.mark.slow
def test_learning_beats_calibration_beats_roofline_on_unseen_families(
    table: Measurements,
) -> None:
    scores = evaluate(table, split="family", folds=3, seed=1, options=QUICK).scores
    learned, calibrated, roofline = (
        scores[name].overall.mape for name in (LEARNED, CALIBRATED, ROOFLINE)
    )
    assert learned < 0.7 * calibrated < calibrated < roofline


@pytest.mark.slow
def test_families_never_stand_on_both_sides(table: Measurements) -> None:
    folds = assign_folds(table, "family", 5, 3)
    for family in set(table.families.tolist()):
        assert len(set(folds[table.families == family].tolist())) == 1
    sizes = np.bincount(folds)
    assert sizes.min() > 0
    assert (assign_folds(table, "family", 5, 3) == folds).all()
    assert np.ptp(np.bincount(assign_folds(table, "row", 5, 3))) <= 1


def test_impossible_splits_are_refused(table: Measurements) -> None:
    one = table.select(table.families == table.families[0])
    with pytest.raises(ConfigError, match="one family"):
        assign_folds(one, "family", 5, 0)
    with pytest.raises(ConfigError, match="1 folds leave nothing"):
        assign_folds(table, "row", 1, 0)


@pytest.mark.slow
def test_a_stored_model_predicts_the_same(
    table: Measurements, model: LearnedModel, tmp_path: Path
) -> None:
    model = model.noting(score="good")
    save_model(model, tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz")
    before, after = model.predict(table), again.predict(table)
    for name in ("value", "valid", "spread", "physical"):
        assert (getattr(before, name) == getattr(after, name)).all(), name
    assert again.provenance == model.provenance
    assert again.provenance["data sha256"] == data_hash(table)
    assert again.encoder.names == model.encoder.names


@pytest.mark.slow
def test_training_is_deterministic_for_a_seed(table: Measurements, model: LearnedModel) -> None:
    again, changed = (LearnedModel.fit(table, seed=seed, options=QUICK) for seed in (2, 6))
    first, second, other = (m.predict(table).value for m in (model, again, changed))
    assert (first == second).all()
    assert not (first == other).all()


def test_the_data_hash_ignores_the_order_of_rows(table: Measurements) -> None:
    assert data_hash(table) == data_hash(table.select(np.arange(len(table))[::-1]))
    assert data_hash(table) != data_hash(table.select(np.arange(len(table) - 1)))


def test_rows_out_of_range_fall_back_and_say_why(model: LearnedModel, tmp_path: Path) -> None:
    path = write_file(tmp_path / "far.csv", [(4096, 28, 64, 1, 1, 1), *shapes(3)])
    far = read_measurements(path)
    prediction = model.predict(far)
    assert prediction.valid.tolist() == [False, True, True, True]
    assert prediction.value[0] == prediction.physical[0]
    assert prediction.spread[0] == 0
    assert "in channels per group 4096 is outside" in model.why_invalid(far, 0)
    assert model.why_invalid(far, 1) == ""
    other = path.read_text().replace("float32", "int8")
    path.write_text(other)
    assert not model.predict(read_measurements(path)).valid.any()


def test_no_prediction_is_below_the_floor(table: Measurements, model: LearnedModel) -> None:
    high = model.physical.predict(table) * 3.0

    class Floored(type(model.physical)):  # type: ignore[misc]
        def floor(self, table: Measurements) -> np.ndarray:  # type: ignore[type-arg]
            return high

    floored = Floored(model.physical.values, model.physical.ceiling)  # type: ignore[attr-defined]
    raised = LearnedModel(table.form, floored, model.encoder, model.blend, model.limits)
    prediction = raised.predict(table)
    assert prediction.valid.all()
    assert (prediction.value >= high).all()


@pytest.mark.slow
def test_spread_is_larger_where_nothing_was_seen(table: Measurements) -> None:
    small = table.select(table["h_in"] <= 20)
    model = LearnedModel.fit(small, options=QUICK)
    seen = model.predict(small)
    everything = model.correct(
        *_parts(model, table.select(table["h_in"] > 50)),
    )
    assert seen.spread.mean() > 0
    # Rows whose sizes were never seen are refused or doubted.
    doubted = ~everything.valid | (everything.spread > np.median(seen.spread))
    assert doubted.mean() > 0.7


def _parts(model: LearnedModel, rows: Measurements):  # type: ignore[no-untyped-def]
    from hetsim.learn.descriptors import describe

    return describe(rows), model.physical.predict(rows), model.physical.floor(rows)


@pytest.mark.slow
def test_a_slower_simulation_can_be_learned_on_top_of_a_faster_one(
    table: Measurements, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    slow = table.target
    fast = slow / np.array([1.2 + 0.5 * (c > 64) for c in table["c_out"]])
    fast = fast * np.exp(0.01 * rng.normal(size=len(fast)))
    columns = {**table.columns, PHYSICAL: fast, FLOOR: 0.5 * fast}
    pairs = replace(table, columns=columns)
    report = evaluate(pairs, split="row", folds=2, baseline=GivenBaseline(), options=QUICK)
    alone = report.scores[CALIBRATED].overall.mape  # the fast one as it is
    assert report.scores[LEARNED].overall.mape < 0.4 * alone
    model = LearnedModel.fit(pairs, baseline=GivenBaseline(), options=QUICK)
    save_model(model, tmp_path / "fast.npz")
    again = load_model(tmp_path / "fast.npz").predict(pairs)
    assert (again.value == model.predict(pairs).value).all()


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_model(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ConfigError, match="not a learned model"):
        load_model(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ConfigError, match="not a learned model"):
        load_model(tmp_path / "other.npz")


def _npz(path: Path, header: str) -> Path:
    """A file whose array claims what ``header`` says and holds eight bytes."""
    text = header.encode().ljust(117) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mean.npy", array)
    return path


@pytest.mark.parametrize("header", [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "__import__('os').abort()",
])  # fmt: skip
def test_what_an_array_claims_is_not_believed(tmp_path: Path, header: str) -> None:
    with pytest.raises(ConfigError, match="not a learned model"):
        load_model(_npz(tmp_path / "m.npz", header))


@pytest.mark.slow
def test_parts_of_a_model_that_do_not_fit_are_refused(model: LearnedModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as file:
        good = {name: file[name] for name in file.files}
    layer = next(name for name in good if name.endswith("layer0.weight"))
    for name, value in (
        (layer, good[layer][:-1]), ("mean", good["mean"][:-1]), ("scale", good["scale"] * np.nan),
        ("about", np.array(str(good["about"]).replace('"limits"', '"limit"'))),
        ("about", np.array("[" * 5000)),
    ):  # fmt: skip
        np.savez(tmp_path / "bad.npz", **(good | {name: value}))
        with pytest.raises(ConfigError, match="not a learned model"):
            load_model(tmp_path / "bad.npz")


def test_metrics_in_closed_form() -> None:
    m = ErrorMetrics.of(np.array([1.1, 0.8, 1.0, 3.0]), np.ones(4))
    assert m.mape == pytest.approx((0.1 + 0.2 + 0 + 2) / 4)
    assert m.median == pytest.approx(0.15)
    assert m.bias == pytest.approx((0.1 - 0.2 + 2) / 4)
    near = ErrorMetrics.of(np.array([1.05, 0.8, 1.0, 3.0]), np.ones(4))
    assert near.within_10 == 0.5


def test_regret_is_the_price_of_the_wrong_choice() -> None:
    job = np.array(["a", "a", "b", "b", "c"])
    measured = np.array([10.0, 12.0, 20.0, 10.0, 7.0])
    assert top1_regret(measured, measured, job) == 0
    wrong = np.array([2.0, 1.0, 2.0, 1.0, 1.0])
    assert top1_regret(wrong, measured, job) == pytest.approx(0.1)
    assert top1_regret(measured, measured, np.array(list("abcde"))) is None


@pytest.mark.slow
def test_reports_hold_every_model_and_fold(table: Measurements) -> None:
    table = table.select(np.arange(len(table)) < 60)
    report = evaluate(table, split="row", folds=3, learned=False)
    assert list(report.scores) == [ROOFLINE, CALIBRATED]
    found = as_json(report)
    assert sum(fold["rows"] for fold in found["folds"]) == len(table)
    assert len(found["models"][CALIBRATED]["fold_mape"]) == 3
    worst = found["models"][CALIBRATED]["worst"]
    assert abs(worst[0]["error"]) >= abs(worst[-1]["error"])
    assert metrics_table(report).row_count == 2
    assert worst_table(report, CALIBRATED, 4).row_count == 4
    figure = scatter_figure(report)
    assert [axes.get_title().split(":")[0] for axes in figure.axes] == [ROOFLINE, CALIBRATED]


def test_single_rows_of_text_names_do_not_matter(
    table: Measurements, model: LearnedModel, tmp_path: Path
) -> None:
    lines = [row_of(s, 100.0 + i, device="other") for i, s in enumerate(shapes(30))]
    header = (Path(table.file)).read_text().splitlines()[0]
    path = tmp_path / "other.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    prediction = model.predict(read_measurements(path))
    assert prediction.valid.mean() > 0.5  # a device's name is no feature
