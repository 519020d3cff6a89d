"""``hetsim list`` and ``hetsim schema``."""

from __future__ import annotations

import json

import pytest
import yaml

import hetsim
from hetsim.cli.list import CATALOGUES
from hetsim.cli.main import entry
from hetsim.cli.schema import FORMATS
from hetsim.library import shipped


def rows(capsys, what: str) -> list[dict]:
    assert entry(["list", what, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.parametrize("what", list(CATALOGUES))
def test_the_table_names_everything_that_json_names(capsys, monkeypatch, what):
    names = [row.get("name") or row["kind"] for row in rows(capsys, what)]
    assert names
    assert len(set(names)) == len(names)
    monkeypatch.setenv("COLUMNS", "300")
    assert entry(["list", what]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["socs", "schedulers"])
def test_narrow_terminals_cut_no_names(capsys, monkeypatch, what):
    names = [row["name"] for row in rows(capsys, what)]
    monkeypatch.setenv("COLUMNS", "70")
    entry(["list", what])
    out = capsys.readouterr().out
    assert all(name in out for name in names)
    assert "…" not in out


@pytest.mark.slow
def test_what_is_listed_can_be_used(capsys):
    for row in rows(capsys, "socs"):
        assert [pu.name for pu in hetsim.load_soc(row["name"]).pus] == row["pus"]
    for row in rows(capsys, "scenarios"):
        assert hetsim.load_scenario(row["name"]).soc.name == row["soc"]
    assert {row["name"] for row in rows(capsys, "socs")} == set(shipped("socs"))


def test_listed_models_carry_their_published_figures(capsys):
    found = {row["name"]: row for row in rows(capsys, "models")}
    assert found["resnet18"]["published_macs"] == pytest.approx(1.81e9, rel=0.01)
    assert found["googlenet"]["aliases"] == ["inception_v1"]


def test_the_smallest_networks_figures_are_no_zeros():
    columns = CATALOGUES["models"].columns
    row = next(row for row in CATALOGUES["models"].rows() if row["name"] == "ds_cnn")
    assert (columns["GMACs"](row), columns["M params"](row)) == ("0.002657", "0.02376")


@pytest.mark.slow
def test_the_operators_that_networks_of_the_paper_use_are_listed(capsys):
    kinds = {row["kind"] for row in rows(capsys, "operators")}
    for name in ("squeezenet", "googlenet", "resnet18"):
        assert {op.kind for op in hetsim.load_model(name).operators} <= kinds


def test_an_unknown_list_names_the_known_ones(capsys):
    assert entry(["list", "chips"]) == 2
    err = capsys.readouterr().err
    assert all(f"'{what}'" in err for what in CATALOGUES)


@pytest.mark.parametrize("name", list(FORMATS))
def test_schemas_are_json_schema_with_a_title_and_refuse_unknown_fields(capsys, name):
    assert entry(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert name in schema["title"].lower()
    assert schema["additionalProperties"] is False
    assert schema["required"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shelf"), [("soc", "socs"), ("scenario", "scenarios")])
def test_shipped_files_use_only_fields_of_the_schema(capsys, name, shelf):
    entry(["schema", name])
    schema = json.loads(capsys.readouterr().out)
    for path in shipped(shelf).values():
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(schema["required"]) <= set(data) <= set(schema["properties"])


def test_where_a_table_would_be_unreadable_each_row_is_a_paragraph(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert entry(["list", "schedulers"]) == 0
    narrow = capsys.readouterr().out
    assert "heft\n  optimises   each unit's finish time" in narrow
    assert all(len(line) <= 80 for line in narrow.splitlines())
    monkeypatch.setenv("COLUMNS", "250")
    assert entry(["list", "schedulers"]) == 0
    assert capsys.readouterr().out.startswith("name")
