"""Whatever stands in a field, loading ends with a SoC or with a located ConfigError."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hetsim.errors import ConfigError, Location
from hetsim.library import shipped
from hetsim.overrides import Override, apply_overrides
from hetsim.soc.loader import build_soc, read_soc
from hetsim.soc.model import SoC
from hetsim.yamlio import Document

JUNK: list[object] = [
    None, True, 0, -1, 10**400, 2.5, float("nan"), float("inf"), "", "x", "1 GB/s", [], [None], {},
    {"kind": []}, {"x": 1}, [[1]], {"kind": "npu"},
]  # fmt: skip


def fields(document: Document, seen: set[tuple[object, ...]]) -> Iterator[str]:
    """Dotted paths of fields not ``seen``: units of one kind, links, items of a list are alike."""
    for path in document.values:
        if path and not any("." in str(key) for key in path):
            like: tuple[object, ...] = path
            if path[0] == "pus" and len(path) > 2:
                like = (document.data["pus"][path[1]]["kind"], *path[2:])
            elif path[0] in ("links", "memory") and len(path) > 2:
                like = (path[0], *path[2:])
            like = tuple(min(key, 1) if isinstance(key, int) else key for key in like)
            if like not in seen:
                seen.add(like)
                yield ".".join(map(str, path))


def outcome(document: Document, path: str, junk: Override) -> SoC | ConfigError:
    try:
        return build_soc(apply_overrides(document, {path: junk}))
    except ConfigError as error:
        return error


def every_field() -> dict[str, list[str]]:
    """By SoC that ships, its fields that no SoC before it has; all SoCs together have all."""
    seen: set[tuple[object, ...]] = set()
    found = {name: list(fields(read_soc(name), seen)) for name in shipped("socs")}
    return {name: paths for name, paths in found.items() if paths}


FIELDS = every_field()


def test_the_socs_that_ship_use_hundreds_of_fields() -> None:
    assert sum(map(len, FIELDS.values())) > 250


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELDS)
def test_junk_in_any_field_is_a_located_error_or_harmless(name: str) -> None:
    document = read_soc(name)
    blame = Location("junk.yaml", 1, 1)
    outcomes = [
        outcome(document, path, Override(junk, blame)) for path in FIELDS[name] for junk in JUNK
    ]
    assert all(isinstance(o, SoC) or o.where is not None for o in outcomes)
