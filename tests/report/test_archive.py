"""Results read back from disk: equal, to the byte in every report, and refused when damaged."""

from __future__ import annotations

import dataclasses
import gzip
import json
import shutil
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

import hetsim
from hetsim import records
from hetsim.analysis.result import Result
from hetsim.errors import ConfigError, ResultsError
from hetsim.library import shipped
from hetsim.records import unpack
from hetsim.report.files.archive import NAME, dump_archive, load_archive
from hetsim.report.files.archiveschema import Part
from hetsim.report.files.rebuild import load_result, read_manifest
from hetsim.report.files.writer import Wanted, write_results
from hetsim.soc.describe import describe_soc, soc_of
from tests.report.samples import sample_result, sample_soc

EVERYTHING = Wanted("all", "all", "all")


@pytest.fixture(scope="module")
def result() -> Result:
    schedulers = ["type_based", "partition_tuner", "ios"]  # the last one rewrites the network
    changes = {"soc": "zcu102-vta-4t", "npu.dma.engines": 2, "dram.bandwidth": "0.7x"}
    return hetsim.run("paper_one", changes, schedulers=schedulers)


@pytest.fixture(scope="module")
def written(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("results") / "q"
    write_results(result, place, extras=EVERYTHING, command="hetsim run paper_one")
    return place


@pytest.mark.parametrize("name", [*shipped("socs")])
def test_a_described_soc_is_the_same_soc(name: str) -> None:
    soc = hetsim.load_soc(name)
    again = soc_of(json.loads(json.dumps(describe_soc(soc))), "again")
    assert again.spec == soc.spec
    assert again.pus == soc.pus
    assert again.links == soc.links


@pytest.mark.slow
def test_changed_values_are_in_the_description(result: Result) -> None:
    described = describe_soc(result.soc)
    assert described["pus"]["npu"]["dma"]["engines"] == 2
    assert soc_of(described, "again").links == result.soc.links


def test_a_description_with_an_unknown_part_is_refused() -> None:
    described = describe_soc(sample_soc())
    described["pus"]["npu"]["kind"] = "quantum"
    with pytest.raises(ConfigError, match="quantum"):
        soc_of(described, "somewhere")


@pytest.mark.slow
def test_what_is_read_back_is_equal(result: Result, written: Path) -> None:
    assert any(run.plan.rewrites for run in result.runs)
    again = load_result(written)
    for field in dataclasses.fields(Result):
        if field.name not in ("runs", "soc"):
            assert getattr(again, field.name) == getattr(result, field.name), field.name
    for ours, theirs in zip(result.runs, again.runs, strict=True):
        for field in dataclasses.fields(ours):
            if field.compare and field.name not in ("graph", "planning_s"):
                assert getattr(theirs, field.name) == getattr(ours, field.name), field.name
        assert theirs.planning_s == pytest.approx(ours.planning_s, abs=1e-5)
        assert theirs.graph.tensors == ours.graph.tensors
        for op, other in zip(ours.graph.operators, theirs.graph.operators, strict=True):
            assert dataclasses.replace(op, attributes={}) == dataclasses.replace(
                other, attributes={}
            )


@pytest.mark.slow
def test_reports_of_a_result_read_back_are_the_same_to_the_byte(
    written: Path, tmp_path: Path
) -> None:
    files = write_results(
        load_result(written), tmp_path / "again", extras=EVERYTHING,
        origin=read_manifest(written), command="again",
    )  # fmt: skip
    assert files.keys() == {path.name for path in written.iterdir()}
    for name in files.keys() - {"manifest.json"}:
        assert files[name].read_bytes() == (written / name).read_bytes(), name
    old, new = (json.loads((place / "manifest.json").read_text()) for place in
                (written, tmp_path / "again"))  # fmt: skip
    assert new.pop("rebuilt")["command"] == "again"
    assert new["planning_ms"] == old["planning_ms"]
    assert new == old


@pytest.mark.slow
def test_failed_runs_and_hostile_names_survive(tmp_path: Path) -> None:
    sample = sample_result(hostile=True)
    path = tmp_path / NAME
    path.write_bytes(dump_archive(sample))
    again = load_archive(path)
    assert [run.error for run in again.runs] == [run.error for run in sample.runs]
    assert again.scenario == sample.scenario
    assert dump_archive(again) == path.read_bytes()


def test_the_same_result_gives_the_same_bytes(result: Result) -> None:
    assert dump_archive(result) == dump_archive(result)


def test_directories_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="does not exist"):
        load_result(tmp_path / "none")
    with pytest.raises(ResultsError, match=r"no manifest\.json"):
        load_result(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{")
    with pytest.raises(ResultsError, match="damaged"):
        load_result(tmp_path)
    manifest.write_text('{"schema": "hetsim.manifest/9"}')
    with pytest.raises(ResultsError, match="manifest/9"):
        load_result(tmp_path)
    manifest.write_text('{"schema": "hetsim.manifest/1", "study": {"kind": "sweep"}}')
    with pytest.raises(ResultsError, match="hetsim sweep"):
        load_result(tmp_path)
    manifest.write_text('{"schema": "hetsim.manifest/1", "files": []}')
    with pytest.raises(ResultsError, match="another version"):
        load_result(tmp_path)
    manifest.write_text(json.dumps({"schema": "hetsim.manifest/1", "files": [NAME]}))
    with pytest.raises(ResultsError, match="was removed"):
        load_result(tmp_path)


def _damage(path: Path, change: str) -> bytes:
    raw = path.read_bytes()
    if change == "cut":
        return raw[: len(raw) // 2]
    if change == "text":
        return b"not an archive"
    if change == "bit":
        return raw[:2000] + bytes([raw[2000] ^ 1]) + raw[2001:]
    document = json.loads(gzip.decompress(raw))
    if change == "version":
        document["schema"] = "hetsim.runs/99"
    elif change == "column":
        del document["runs"][0]["trace"]["spans"]["start"]
    elif change == "short":
        document["runs"][0]["trace"]["spans"]["start"].pop()
    elif change == "network":
        document["runs"][0]["network"] = 17
    elif change == "soc":
        document["soc"]["memory"] = {}
    elif change == "list":
        document = [document]
    elif change == "deep":
        return gzip.compress(b"[" * 200_000)
    elif change == "digits":
        return gzip.compress(b"9" * 10_000)
    elif change == "endless":
        document["runs"][0]["trace"]["makespan_s"] = float("inf")
    elif change == "negative":
        document["runs"][0]["trace"]["spans"]["start"][0] = -1.0
    elif change == "unit":
        document["runs"][0]["operators"]["pu"][0] = "tpu"
    elif change == "partition":
        document["runs"][0]["plan"]["partitions"]["pu"][0] = "tpu"
    elif change == "position":
        document["runs"][0]["trace"]["tasks"]["position"][0] = 10**6
    elif change == "macs":
        document["networks"][0]["operators"]["macs"][0] = -1
    elif change == "nest":
        document["networks"][0]["operators"]["nest"] = [[1]] * 99
    elif change == "figures":
        document["reference"] = {"figures": 3}
    return gzip.compress(json.dumps(document).encode())


@pytest.mark.parametrize(
    "change",
    ["cut", "text", "bit", "version", "column", "short", "network", "soc", "list", "deep",
     "digits", "endless", "negative", "unit", "partition", "position", "macs", "nest", "figures"],
)  # fmt: skip
def test_damaged_archives_end_in_one_message(written: Path, tmp_path: Path, change: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(_damage(written / NAME, change))
    with pytest.raises(ResultsError, match=NAME):
        load_archive(path)


@pytest.mark.slow
def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "UNPACKED_FREE", 1_000_000)
    packed = gzip.compress(bytes(10_000_000))
    assert len(packed) < 20_000
    with pytest.raises(ResultsError, match="unpacks to more than 1,000,000 bytes"):
        unpack(packed, "runs.json.gz")
    assert len(unpack(gzip.compress(bytes(1_000_000)), "runs.json.gz")) == 1_000_000
    monkeypatch.undo()
    assert len(unpack(packed, "runs.json.gz")) == 10_000_000


def test_a_changed_digit_in_the_manifest_or_archive_is_found(written: Path, tmp_path: Path) -> None:
    place = tmp_path / "out"
    shutil.copytree(written, place)
    document = json.loads(gzip.decompress((place / NAME).read_bytes()))
    document["runs"][0]["trace"]["makespan_s"] *= 2
    (place / NAME).write_bytes(gzip.compress(json.dumps(document).encode()))
    with pytest.raises(ResultsError, match=r"manifest\.json says was written"):
        load_result(place)


def test_memories_of_a_plan_and_state_of_a_trace_are_kept(result: Result, tmp_path: Path) -> None:
    run = result.runs[0]
    assert run.plan is not None
    assert run.trace is not None
    plan = dataclasses.replace(run.plan, memories={run.graph.inputs[0]: "dram"})
    trace = dataclasses.replace(run.trace, state_peak_bytes={"dram": 7})
    changed = dataclasses.replace(run, plan=plan, trace=trace)
    path = tmp_path / NAME
    path.write_bytes(dump_archive(dataclasses.replace(result, runs=(changed,))))
    [again] = load_archive(path).runs
    assert again.plan == plan
    assert again.trace == trace


def test_time_that_went_nowhere_known_is_refused() -> None:
    part = TypeAdapter(Part)
    assert [part.validate_python(name) for name in ("compute", "idle")] == ["compute", "idle"]
    with pytest.raises(ValidationError):
        part.validate_python("dma_waitx")
