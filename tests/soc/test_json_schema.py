"""The exported JSON Schemas accept what the loader accepts and refuse what it refuses."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from hetsim.library import shipped
from hetsim.scenario.loader import scenario_json_schema
from hetsim.soc.loader import soc_json_schema
from hetsim.yamlio import read_yaml

KNOWN = {
    "$schema", "$defs", "$ref", "type", "properties", "additionalProperties", "required", "items",
    "anyOf", "oneOf", "const", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minItems", "minLength", "minProperties", "propertyNames",
    "patternProperties", "title", "description", "default", "discriminator",
}  # fmt: skip
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "null": type(None), "boolean": bool,
}  # fmt: skip


class Checker:
    """As much of JSON Schema 2020-12 as the exported schemas use; an unknown keyword fails."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root

    def faults(self, schema: Any, value: Any, path: str = "") -> Iterator[str]:
        if schema is True or schema == {}:
            return
        if schema is False:
            yield f"{path}: nothing allowed"
            return
        assert schema.keys() <= KNOWN, f"unknown keywords {schema.keys() - KNOWN}"
        if "$ref" in schema:
            yield from self.faults(
                self.root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, path
            )
        for word, enough in (("anyOf", lambda n: n >= 1), ("oneOf", lambda n: n == 1)):
            if word in schema:
                fits = sum(not list(self.faults(s, value, path)) for s in schema[word])
                if not enough(fits):
                    yield f"{path}: fits {fits} of {word}"
        if "const" in schema and value != schema["const"]:
            yield f"{path}: not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{path}: not one of {schema['enum']}"
        if "type" in schema and not self.is_type(schema["type"], value):
            yield f"{path}: not a {schema['type']}"
            return
        if isinstance(value, str):
            if "pattern" in schema and not re.search(schema["pattern"], value):
                yield f"{path}: {value!r} does not match"
            if len(value) < schema.get("minLength", 0):
                yield f"{path}: too short"
        if isinstance(value, int | float) and not isinstance(value, bool):
            if value < schema.get("minimum", value) or value > schema.get("maximum", value):
                yield f"{path}: out of range"
            if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
                yield f"{path}: too small"
        if isinstance(value, list):
            if len(value) < schema.get("minItems", 0):
                yield f"{path}: too few"
            for i, item in enumerate(value):
                yield from self.faults(schema.get("items", True), item, f"{path}[{i}]")
        if isinstance(value, dict):
            yield from self.members(schema, value, path)

    def members(self, schema: dict[str, Any], value: dict[str, Any], path: str) -> Iterator[str]:
        if len(value) < schema.get("minProperties", 0):
            yield f"{path}: too few"
        for name in schema.get("required", []):
            if name not in value:
                yield f"{path}: lacks {name}"
        for key, item in value.items():
            yield from self.faults(schema.get("propertyNames", True), key, f"{path}.{key}")
            patterns = [
                s for p, s in schema.get("patternProperties", {}).items() if re.search(p, key)
            ]
            if key in schema.get("properties", {}):
                yield from self.faults(schema["properties"][key], item, f"{path}.{key}")
            elif patterns:
                for found in patterns:
                    yield from self.faults(found, item, f"{path}.{key}")
            else:
                rest = schema.get("additionalProperties", True)
                yield from self.faults(rest, item, f"{path}.{key}")

    @staticmethod
    def is_type(name: str, value: Any) -> bool:
        if name == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if name == "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        return isinstance(value, TYPES[name])


SCHEMAS = {"socs": soc_json_schema, "scenarios": scenario_json_schema}
FILES = [(shelf, name) for shelf in ("socs", "scenarios") for name in shipped(shelf)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("shelf", "name"), FILES)
def test_shipped_files_fit_their_schema(shelf: str, name: str) -> None:
    schema = SCHEMAS[shelf]()
    data = read_yaml(shipped(shelf)[name]).data  # type: ignore[arg-type]
    assert list(Checker(schema).faults(schema, data)) == []


def change(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("pus", "npu", "srma"), "1 KiB"),
        (("pus", "npu", "sram"), "1 KHz"),
        (("pus", "npu", "sram"), 512),
        (("pus", "npu", "kind"), "cpu_cluster"),
        (("pus", "npu", "kind"), "nup"),
        (("pus", "cpu", "cores"), 0),
        (("pus", "cpu", "cores"), "4"),
        (("pus", "cpu", "efficiency", "Conv"), 1.5),
        (("memory", "dram", "bandwidth"), "8 GB"),
        (("hetsim",), "soc/2"),
        (("pus",), {}),
    ],
)
def test_the_soc_schema_refuses_what_the_loader_refuses(path: tuple[Any, ...], value: Any) -> None:
    schema = soc_json_schema()
    data = change(read_yaml(shipped("socs")["zcu102-vta"]).data, path, value)
    assert list(Checker(schema).faults(schema, data)) != []


def test_schemas_say_which_dialect_they_are_written_in() -> None:
    for make in SCHEMAS.values():
        schema = make()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["title"].startswith("hetsim ")


def test_editors_get_a_description_of_every_unit_field() -> None:
    text = str(soc_json_schema())
    for example in ("'512 KiB'", "'12.8 GB/s'", "'1.2 GHz'", "'35 us'"):
        assert example in text
