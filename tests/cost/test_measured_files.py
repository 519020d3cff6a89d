"""Profile files: written and read again, merged, and refused with their lines."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from hetsim.cost.measured.files import dump_profile, parse_profile, read_profile
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.table import Entry
from hetsim.errors import ConfigError
from hetsim.workload.zoo import load_model
from tests.cost.samples import table

GRAPH = load_model("squeezenet")


def test_profiles_survive_the_round_trip(tmp_path: Path):
    entries = [
        Entry(operator_key(GRAPH, GRAPH.operators[0]), 1.25e-3, 2e-5, 30, ("a:b",)),
        Entry(operator_key(GRAPH, GRAPH.operators[1]), math.inf),
    ]
    whole = replace(table(entries, "partition"), remarks=("as found",))
    file = tmp_path / "p.yaml"
    file.write_text(dump_profile(whole))
    again = read_profile(file)
    assert list(again.entries) == list(whole.entries)
    for key, entry in whole.entries.items():
        read = again.entries[key]
        assert read.seconds == pytest.approx(entry.seconds, rel=1e-8)
        assert (read.samples, read.seen) == (entry.samples, entry.seen)
    assert (again.scope, again.remarks) == ("partition", ("as found",))


HEAD = "hetsim: profile/1\nname: n\ndevice: d\nsource: s\nscope: kernel\nentries:\n"


RELU = "Relu[1x8>1x8] float32"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (f"- operators: {RELU}\n  time_us: 0\n", "p:8:12: .*more than|greater than 0"),
        (f"- operators: {RELU}\n  time_us: -3.0\n", "p:8"),
        (f"- operators: {RELU}\n", "p:7:.*neither time_us nor transfer_us is given"),
        (f"- operators: {RELU}\n  time_us: 3 ms\n", "p:8"),
        (f"- operators: {RELU}\n  time_ms: 3.0\n", "p:8.*unknown field 'time_ms'"),
        ("- operators: Relu\n  time_us: 3.0\n", "p:7.*not an operator key"),
        (f"- operators: {RELU}\n  time_us: .nan\n", "p:8"),
    ],
)
def test_bad_entries_are_located(lines, told):
    with pytest.raises(ConfigError, match=rf"(?s){told}"):
        parse_profile(HEAD + lines, "p")


def test_repeats_that_disagree_are_told_with_their_lines():
    lines = "".join(f"- operators: {RELU}\n  time_us: {t}\n" for t in (1.0, 2.0, 9.0))
    read = parse_profile(HEAD + lines, "p")
    assert read.entries[RELU].seconds == pytest.approx(2e-6)
    (doubt,) = read.doubts
    assert doubt.kind == "repeats disagree"
    assert "line 7, line 9, line 11" in str(doubt)
    agreeing = "".join(f"- operators: {RELU}\n  time_us: {t}\n" for t in (1.0, 1.02))
    assert not parse_profile(HEAD + agreeing, "p").doubts


def test_transfers_of_repeats_are_merged_and_their_disagreement_is_told():
    key = operator_key(GRAPH, GRAPH.operators[0])
    found = table(
        [Entry(key, 1.0), Entry(key, None, transfer_s=0.2), Entry(key, None, transfer_s=0.4)]
    )
    assert found.entries[key] == Entry(key, 1.0, transfer_s=pytest.approx(0.3))
    assert [d.message for d in found.doubts] == [
        f"2 measured transfers of {key} disagree (from 200000 to 400000 us); the median 300000 us"
        " is used"
    ]


def test_a_profile_file_keeps_transfers_and_refuses_an_entry_that_says_nothing():
    key = operator_key(GRAPH, GRAPH.operators[0])
    written = table([Entry(key, None, transfer_s=12e-6)])
    assert parse_profile(dump_profile(written)).entries[key].transfer_s == pytest.approx(12e-6)
    text = dump_profile(written)
    with pytest.raises(ConfigError, match=r"profile:7.*neither time_us nor transfer_us is given"):
        parse_profile(text.replace("  transfer_us: 12.0\n", ""))
    with pytest.raises(ConfigError, match=r"profile:8.*transfer_us.*-3"):
        parse_profile(text.replace("transfer_us: 12.0", "transfer_us: -3"))


def test_a_profile_is_written_as_people_write_it():
    """Microseconds; what is not known, and what is the usual case, is left out."""
    softmax = "Softmax[1x8>1x8 axis=1] float32"
    written = dump_profile(
        table([
            Entry(RELU, 1.25e-3, 2e-5, 30, ("a:b", "c:d"), transfer_s=0.0),
            Entry(softmax, math.inf, samples=1),
        ])
    )  # fmt: skip
    head = HEAD.replace("name: n", "name: t")
    assert written == (
        f"{head}- operators: {RELU}\n  time_us: 1250.0\n  spread_us: 20.0\n  transfer_us: 0.0\n"
        "  samples: 30\n  seen:\n  - a:b\n  - c:d\n"
        f"- operators: {softmax}\n  time_us: cannot run\n"
    )
    read = parse_profile(written, "p")
    assert read.entries == table(
        [Entry(RELU, pytest.approx(1.25e-3), pytest.approx(2e-5), 30, ("a:b", "c:d"), None, 0.0),
         Entry(softmax, math.inf)]
    ).entries  # fmt: skip
    assert [entry.where.line for entry in read.entries.values()] == [7, 15]
    assert (read.name, read.device, read.source, read.remarks) == ("t", "d", "s", ())


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ("time_us: 1.0e+15", ""),
        ("time_us: 1.1e+15", "time_us"),
        ("time_us: 1, transfer_us: 0", ""),
        ("time_us: 1, transfer_us: 1.1e+15", "transfer_us"),
        ("time_us: 1, spread_us: 0", ""),
        ("time_us: 1, spread_us: -1", "spread_us"),
        ("time_us: 1, samples: 1", ""),
        ("time_us: 1, samples: 0", "samples"),
    ],
)
def test_numbers_have_bounds(fields, refused):
    text = f"{HEAD}- {{operators: '{RELU}', {fields}}}\n"
    if not refused:
        assert len(parse_profile(text, "p")) == 1
    else:
        with pytest.raises(ConfigError, match=f"p:7:.*{refused}"):
            parse_profile(text, "p")


def test_a_profile_has_a_name_and_entries():
    entry = f"- {{operators: '{RELU}', time_us: 1}}\n"
    with pytest.raises(ConfigError, match=r"p:2:.*name"):
        parse_profile(HEAD.replace("name: n", "name: ''") + entry, "p")
    with pytest.raises(ConfigError, match=r"p:6:.*entries"):
        parse_profile(HEAD.rstrip() + " []\n", "p")
