"""The checks that end quickly stay within their limits, and say what they are."""

from __future__ import annotations

import json
from functools import cache

import pytest

from hetsim.errors import MissingExtraError
from hetsim.executors.serial import SerialExecutor
from hetsim.soc.loader import load_soc
from hetsim.testing import CheckKit
from hetsim.validate.base import Setting
from hetsim.validate.checks import zoo
from hetsim.validate.checks.simgrid.check import TABLE, compare, table
from hetsim.validate.checks.simgrid.flows import finish_times, interpreter, random_flow_set
from hetsim.validate.checks.tiny import FITTED, SOCS
from hetsim.validate.limits import read_limits
from hetsim.validate.measures import figures
from hetsim.validate.outcome import Outcome
from hetsim.validate.registry import checks, find_checks
from hetsim.validate.run import run_checks
from hetsim.validate.tables import Tables, data_path, sources
from hetsim.workload.zoo import MODELS, measured_as

QUICK = tuple(find_checks([], quick=True))
SHIPPED = tuple(n for n in QUICK if all(sources()[table].ships for table in checks()[n].tables))
"""Those that run on what is here; the others are tried on tables of their tests' own."""


@cache
def outcome(name: str) -> Outcome:
    (found,) = run_checks(find_checks([name]), Setting(Tables()), read_limits(), SerialExecutor())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "zoo"])
def test_it_passes(name: str) -> None:
    found = outcome(name)
    assert (found.verdict, found.beyond) == ("passed", [])


@pytest.mark.slow
def test_the_zoo_is_compared_where_its_published_figures_are_comparable(monkeypatch) -> None:
    # All of it, within a percent, is what the tests of the zoo look at.
    networks = ("resnet18", "alexnet", "ds_cnn")
    monkeypatch.setattr(zoo, "MODELS", {name: MODELS[name] for name in networks})
    rows = {(row.name, row.group): row for row in outcome.__wrapped__("zoo").rows}
    assert set(rows) == {
        (name, zoo.NAMES[what]) for name in networks for what in MODELS[name].comparable
    }
    assert rows["resnet18", "multiply-accumulates"].reference == MODELS["resnet18"].macs
    assert all(abs(row.error) < 0.01 for row in rows.values())


@pytest.mark.parametrize("name", list(checks()))
def test_every_check_says_what_it_is_and_has_limits(name: str) -> None:
    check = checks()[name]
    limits = read_limits()
    assert check.title
    assert not check.title.endswith(".")
    assert len(check.compared) > 40
    assert check.tables or check.source
    assert check.on_host or limits[name]["rows"].least, "rows that vanish must be noticed"
    assert set(check.tables) <= set(sources())


def test_quick_ones_are_some_and_none_measures_the_host() -> None:
    assert {"simgrid", "scale-sim"} <= set(QUICK)
    assert not {"tiles", "host"} & set(QUICK)
    assert "host" in find_checks(["simgrid"], host=True)
    assert list(find_checks(["tiles"])) == ["tiles"]


def test_boards_tell_the_error_that_their_check_finds() -> None:
    found = outcome("tiny")
    for board, soc in SOCS.items():
        if board != FITTED:
            (fit,) = load_soc(soc).spec.calibrated
            (told, of) = fit.held_out, figures([r for r in found.rows if r.group == board])
            assert told is not None
            assert (told.rows, told.median, told.p90) == (
                of["rows"], pytest.approx(of["median"], abs=5e-4),
                pytest.approx(of["p90"], abs=5e-4),
            )  # fmt: skip


class TestScaleSim(CheckKit):
    name = "scale-sim"


class TestSimGrid(CheckKit):
    name = "simgrid"


def test_limits_are_of_checks_that_exist() -> None:
    assert set(read_limits()) <= set(checks())


def test_every_file_of_the_data_has_a_source_and_every_source_that_ships_a_file() -> None:
    held = {path.name for path in data_path().iterdir()} - {"sources.yaml", "licences"}
    assert held == {name for name, source in sources().items() if source.ships}


def test_measured_networks_are_those_that_the_zoo_builds() -> None:
    rows = Tables().records("measured_networks.csv")
    assert all(measured_as(row["model"], row["component"]) for row in rows)


def _simgrid_is_here() -> bool:
    try:
        interpreter()
    except MissingExtraError:
        return False
    return True


needs_simgrid = pytest.mark.skipif(not _simgrid_is_here(), reason="no python3-simgrid")


@needs_simgrid
def test_the_table_holds_what_simgrid_says() -> None:
    held, made = (json.loads(text)["sets"] for text in (Tables().text(TABLE), table(2)))
    for theirs, one in zip(made, held, strict=False):
        # SimGrid's clock runs on from set to set, which moves the last bits of differences.
        assert one.pop("finish") == pytest.approx(theirs.pop("finish"), rel=1e-12)
        assert theirs == one


@needs_simgrid
def test_live_rows_are_of_simgrid_and_not_of_the_table(tmp_path) -> None:
    held = json.loads(table(2))
    held["sets"][0]["finish"][0] += 1.0
    (tmp_path / TABLE).write_text(json.dumps(held))
    check = find_checks(["simgrid"])["simgrid"]
    worst = [
        max(abs(row.error) for row in check.rows(Setting(Tables(tmp_path), live), ""))
        for live in (False, True)
    ]
    assert worst[0] > 0.01
    assert worst[1] < 1e-9


@needs_simgrid
@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
def test_finish_times_agree_with_simgrid_on_other_flow_sets(weighted: bool) -> None:
    sets = [random_flow_set(seed, weighted=weighted) for seed in range(1000, 1060)]
    for number, (one, finish) in enumerate(zip(sets, finish_times(sets), strict=True)):
        for row in compare(one, finish, str(number)):
            assert abs(row.error) < 1e-9, row


@pytest.mark.slow
def test_rows_of_a_board_are_predicted_by_fits_that_have_not_seen_them() -> None:
    check = find_checks(["convolutions"])["convolutions"]
    setting = Setting(Tables())
    assert len(check.parts(setting)) == 6
    rows = list(check.rows(setting, "5"))  # the 20 of the ultra96
    errors = sorted(abs(row.error) for row in rows)
    assert len(rows) == 20
    assert 0.01 < errors[10] < 0.12
    assert all(row.low is None or row.low < row.simulated < (row.high or 0.0) for row in rows)


def test_whole_networks_on_ethos_are_near_what_arms_compiler_estimates() -> None:
    rows = outcome("ethos-u").rows
    networks = {(row.group, row.name): row.error for row in rows if "networks" in row.group}
    assert len(rows) == 136
    assert len(networks) == 8
    assert sorted(abs(error) for error in networks.values())[3] < 0.2
