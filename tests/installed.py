"""Packages installed for the time of a test: a module and its entry points, found as by pip."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hetsim.cost.pu import model_class
from hetsim.cost.sources import sources
from hetsim.soc.kinds import kinds
from hetsim.workload.formats import formats

Install = Callable[..., None]
"""``install(text, {group: {name: reference}})``: the text of module ``foreign``."""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    site = tmp_path / "site-packages"

    def add(text: str, points: dict[str, dict[str, str]]) -> None:
        info = site / "foreign-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "foreign.py").write_text(text, encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
        lines = []
        for group, named in points.items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in named.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        monkeypatch.syspath_prepend(str(site))
        forget()

    yield add
    monkeypatch.undo()
    sys.modules.pop("foreign", None)
    forget()


def forget() -> None:
    """What is installed is looked up again."""
    for known in (formats, kinds, sources, model_class):
        known.cache_clear()
