"""Installed beside hetsim, this package is found by name."""

import hetsim
from hetsim.schedulers.registry import list_schedulers


def test_the_scheduler_is_listed_and_runs():
    [row] = [row for row in list_schedulers() if row.name == "by_kind"]
    assert row.origin == "hetsim_example.scheduler:ByKind"
    result = hetsim.run("quickstart", schedulers=["by_kind", "heft"])
    assert [(run.scheduler, run.error) for run in result.runs] == [
        ("by_kind", None),
        ("heft", None),
    ]
