"""A page for each file format, from the JSON Schema that ``hetsim schema`` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hetsim.cli.schema import FORMATS

FOLDER = "reference/formats"

Schema = Mapping[str, Any]


def format_pages() -> dict[str, str]:
    """Address and Markdown of each page."""
    return {f"{FOLDER}/{name}.md": _page(name, make()) for name, make in FORMATS.items()}


def _page(name: str, schema: Schema) -> str:
    parts = [f"# {name.capitalize()} file" if name != "result" else "# Result file", ""]
    parts += [f"Made from `hetsim schema {name}`, which prints it as JSON Schema.", ""]
    parts += _section(schema)
    for title, part in sorted(schema.get("$defs", {}).items()):
        if "properties" in part or _text(part):
            parts += [f"## {_spoken(title)}", "", *_section(part)]
    return "\n".join(parts) + "\n"


def _section(part: Schema) -> list[str]:
    lines = [_text(part), ""] if _text(part) else []
    properties = part.get("properties", {})
    if not properties:
        return [*lines, f"One value: {_type(part)}.", ""]
    lines += ["| field | type | default | what it is |", "|---|---|---|---|"]
    for field, value in properties.items():
        needed = field in part.get("required", ())
        default = "required" if needed else _default(value)
        lines.append(f"| `{field}` | {_type(value)} | {default} | {_cell(_text(value))} |")
    return [*lines, ""]


def _default(value: Schema) -> str:
    default = value.get("default")
    if default is None:
        return "–"
    text = json.dumps(default, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 60 else "see the schema"


def _text(part: Schema) -> str:
    return str(part.get("description", "")).strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(value: Schema) -> str:
    return " or ".join(dict.fromkeys(_types(value))) or "anything"


def _types(value: Schema) -> Iterator[str]:
    if "$ref" in value:
        title = value["$ref"].rpartition("/")[2]
        yield f"[{_spoken(title)}](#{_spoken(title).lower().replace(' ', '-')})"
    elif "const" in value:
        yield f"`{json.dumps(value['const'])}`".replace('"', "")
    elif "enum" in value:
        yield from (f"`{option}`" for option in value["enum"])
    elif kinds := next((value[key] for key in ("anyOf", "oneOf") if key in value), None):
        for kind in kinds:
            yield from _types(kind)
    elif value.get("type") == "array":
        yield f"list of {_type(value.get('items', {}))}"
    elif value.get("type") == "object":
        patterns = value.get("patternProperties", {})
        inner = value.get("additionalProperties") or next(iter(patterns.values()), None)
        of = f" of name: {_type(inner)}" if isinstance(inner, Mapping) else ""
        yield f"mapping{of}"
    elif isinstance(value.get("type"), list):
        yield from map(str, value["type"])
    elif "type" in value:
        yield "text" if value["type"] == "string" else str(value["type"])


def _spoken(title: str) -> str:
    return title.removesuffix("Spec").removesuffix("_") or title
