"""Figures of rows by hand, what limits allow, and what the shell gets."""

from __future__ import annotations

import pytest

from hetsim.errors import ConfigError, MissingExtraError
from hetsim.executors.serial import SerialExecutor
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.limits import Limit, read_limits
from hetsim.validate.measures import figures, share
from hetsim.validate.outcome import Outcome, Part, exit_code
from hetsim.validate.run import run_checks
from hetsim.validate.tables import Tables, UnavailableError

ROWS = (
    Row("a", "one", 1.0, 1.1, 0.9, 1.2),
    Row("b", "one", 2.0, 1.0, 0.9, 1.1),
    Row("c", "one", 4.0, 4.0, 3.0, 5.0),
    Row("d", "two", 10.0, 12.0),
)


class Plain(Check):
    title, compared, kind, unit = "plain", "nothing much", "measured", "s"

    def rows(self, setting, part):
        return ROWS


def outcome(limits: dict[str, Limit], *parts: Part) -> Outcome:
    return Outcome("plain", Plain(), parts or (Part(ROWS),), limits)


def test_figures_by_hand() -> None:
    found = figures(ROWS)
    assert found["rows"] == 4
    assert found["mean"] == pytest.approx((0.1 + 0.5 + 0.0 + 0.2) / 4)
    assert found["median"] == pytest.approx((0.1 + 0.2) / 2)
    assert found["worst"] == pytest.approx(0.5)
    assert found["bias"] == pytest.approx(0.05)
    assert found["coverage"] == pytest.approx(2 / 3)
    # Ranks 1 2 3 beside 2 1 3; the second group has one row and says nothing.
    assert found["rank"] == pytest.approx(0.5)


def test_without_rows_there_are_no_figures() -> None:
    found = figures(())
    assert found.pop("rows") == 0
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 %"), (0.1234, "12.3 %"), (2.5, "250 %"), (4e-16, "4e-16"), (0.00021, "0.02 %")],
)
def test_shares_as_people_read_them(value: float, text: str) -> None:
    assert share(value) == text


def test_only_what_is_within_every_limit_passes() -> None:
    assert outcome({"worst": Limit(most=0.6)}).verdict == "passed"
    worse = outcome({"worst": Limit(most=0.4), "rows": Limit(least=4)})
    assert worse.verdict == "worse"
    assert worse.beyond == ["worst is 50.0 %, allowed: worst <= 40 %"]
    assert outcome({"rows": Limit(least=5)}).verdict == "worse"
    assert outcome({}).verdict == "no limit"


def test_what_is_no_number_is_not_allowed() -> None:
    bare = Outcome("plain", Plain(), (Part(ROWS[3:]),), {"coverage": Limit(least=0.5)})
    assert bare.verdict == "worse"


def test_a_part_without_rows_is_never_a_pass() -> None:
    missing, broken = Part(reason="no data", impossible=True), Part(reason="bad")
    limits = {"worst": Limit(most=1)}
    assert outcome(limits, Part(ROWS), missing).verdict == "not run"
    assert outcome(limits, missing, broken).verdict == "failed"
    assert outcome(limits, Part()).verdict == "failed"
    # Half of the rows would make figures that look like those of all.
    assert outcome(limits, Part(ROWS), missing).rows == ()
    assert outcome(limits, Part(ROWS), missing).figures["rows"] == 0


def test_exit_codes() -> None:
    passed = outcome({"worst": Limit(most=1)})
    worse = outcome({"worst": Limit(most=0)})
    absent = outcome({}, Part(reason="no data", impossible=True))
    failed = outcome({}, Part(reason="bad"))
    assert exit_code([passed, absent]) == 0
    assert exit_code([passed, absent], ["plain"]) == 2
    assert exit_code([worse, passed]) == 3
    assert exit_code([worse, failed]) == 2


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (MissingExtraError("no ortools"), "not run"),
        (UnavailableError("no table"), "not run"),
        (ConfigError("a bad row"), "failed"),
        (ZeroDivisionError("oh"), "failed"),
    ],
)
def test_what_a_check_raises_is_its_outcome(monkeypatch, error: Exception, verdict: str) -> None:
    class Raising(Plain):
        def rows(self, setting, part):
            raise error

    monkeypatch.setattr("hetsim.validate.run.checks", lambda: {"raising": Raising, "plain": Plain})
    chosen = {"raising": Raising(), "plain": Plain()}
    found = run_checks(chosen, Setting(Tables()), {}, SerialExecutor())
    assert [one.verdict for one in found] == [verdict, "no limit"]
    assert str(error) in found[0].reason


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_positive_number_is_no_row(monkeypatch, value: float) -> None:
    class Odd(Plain):
        def rows(self, setting, part):
            yield Row("odd", "one", value, 1.0)

    monkeypatch.setattr("hetsim.validate.run.checks", lambda: {"odd": Odd})
    (found,) = run_checks({"odd": Odd()}, Setting(Tables()), {}, SerialExecutor())
    assert found.verdict == "failed"
    assert "one, odd" in found.reason


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("plain: {wrost: {most: 0.1}}", "thresholds.yaml:3:11: checks.plain: there is no figure"),
        ("plain: {worst: {most: -1}}", "thresholds.yaml:3:25"),
        ("plain: {worst: {}}", "say 'most', 'least' or both"),
        ("plain: {rank: {least: 2, most: 1}}", "nothing is at least 2 and at most 1"),
    ],
)
def test_a_limit_that_is_none_is_told_with_its_place(tmp_path, body: str, told: str) -> None:
    file = tmp_path / "thresholds.yaml"
    file.write_text(f"hetsim: thresholds/1\nchecks:\n  {body}\n")
    with pytest.raises(ConfigError) as caught:
        read_limits(file)
    assert told in str(caught.value)


def test_own_tables_stand_in_for_those_that_ship(tmp_path) -> None:
    (tmp_path / "scalesim_cycles.csv").write_text("network,cycles\nresnet18,5\n")
    own = Tables(tmp_path)
    assert own.records("scalesim_cycles.csv") == [{"network": "resnet18", "cycles": "5"}]
    assert own.is_own("scalesim_cycles.csv")
    assert own.path("simgrid_flows.json") == Tables().path("simgrid_flows.json")


def test_a_row_of_another_length_is_told_with_its_line(tmp_path) -> None:
    (tmp_path / "scalesim_cycles.csv").write_text("network,cycles\nresnet18,5\nresnet18\n")
    with pytest.raises(ConfigError, match=r"scalesim_cycles.csv:3"):
        Tables(tmp_path).records("scalesim_cycles.csv")


@pytest.mark.parametrize(
    ("text", "told"), [('{"sets": [1,', r"flows.json:1:13: not JSON"), ("[]", "an object")]
)
def test_a_damaged_document_is_told_with_its_place(tmp_path, text: str, told: str) -> None:
    (tmp_path / "simgrid_flows.json").write_text(text)
    with pytest.raises(ConfigError, match=told):
        Tables(tmp_path).document("simgrid_flows.json")
