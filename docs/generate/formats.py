"""A page for each file format, from the JSON Schema that ``hetsim schema`` prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hetsim.cli.schema import FORMATS

FOLDER = "reference/formats"
LONGEST_DEFAULT = 40

Schema = Mapping[str, Any]


def format_pages() -> dict[str, str]:
    """Address and Markdown of each page."""
    return {f"{FOLDER}/{name}.md": _page(name, make()) for name, make in FORMATS.items()}


def _page(name: str, schema: Schema) -> str:
    parts: dict[str, Schema] = {}
    whole = _named(schema, parts)
    lines = [f"# {'SoC' if name == 'soc' else name.capitalize()} file", ""]
    lines += [f"Made from `hetsim schema {name}`, which prints it as JSON Schema.", ""]
    lines += _section(whole)
    for title, part in sorted(parts.items()):
        lines += [f"## {_spoken(title)}", "", *_section(part)]
    return "\n".join(lines) + "\n"


def _named(value: Any, parts: dict[str, Schema], root: bool = True) -> Any:
    """``value`` with every object that has fields moved to ``parts`` and referred to."""
    if isinstance(value, list):
        return [_named(item, parts, False) for item in value]
    if not isinstance(value, dict):
        return value
    for title, part in value.get("$defs", {}).items():
        parts[title] = _named(part, parts)
    inner = {key: _named(item, parts, False) for key, item in value.items() if key != "$defs"}
    # What is called "title" may also be a field of that name.
    if root or "properties" not in inner or not isinstance(inner.get("title"), str):
        return inner
    parts[inner["title"]] = inner
    return {"$ref": f"#/$defs/{inner['title']}"}


def _section(part: Schema) -> list[str]:
    lines = [_text(part), ""] if _text(part) else []
    properties = part.get("properties", {})
    if not properties:
        return [*lines, f"A value: {_type(part)}.", ""]
    lines += ["| field | type | default | what it is |", "|---|---|---|---|"]
    for field, value in properties.items():
        default = "required" if field in part.get("required", ()) else _default(value)
        lines.append(f"| `{field}` | {_type(value)} | {default} | {_cell(_text(value))} |")
    return [*lines, ""]


def _default(value: Schema) -> str:
    default = value.get("default")
    if default is None:
        return "–"
    text = json.dumps(default, ensure_ascii=False)
    return f"`{text}`" if len(text) <= LONGEST_DEFAULT else "see the schema"


def _text(part: Schema) -> str:
    text = str(part.get("description", "")).strip()
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(value: Schema) -> str:
    kinds = dict.fromkeys(_types(value))
    if value.get("default", "") is None:
        kinds.pop("null", None)
    return " or ".join(kinds) or "anything"


def _types(value: Schema) -> Iterator[str]:
    if "$ref" in value:
        title = _spoken(value["$ref"].rpartition("/")[2])
        yield f"[{title}](#{title.lower().replace(' ', '-')})"
    elif "const" in value:
        yield f"`{value['const']}`"
    elif "enum" in value:
        yield from (f"`{option}`" for option in value["enum"])
    elif kinds := value.get("anyOf") or value.get("oneOf"):
        for kind in kinds:
            yield from _types(kind)
    elif value.get("type") == "array":
        yield f"list of {_type(value.get('items', {}))}"
    elif value.get("type") == "object":
        patterns = value.get("patternProperties", {})
        inner = value.get("additionalProperties") or next(iter(patterns.values()), None)
        yield f"by name: {_type(inner)}" if isinstance(inner, Mapping) else "mapping"
    elif isinstance(value.get("type"), list):
        yield from map(str, value["type"])
    elif "type" in value:
        yield "text" if value["type"] == "string" else str(value["type"])


def _spoken(title: str) -> str:
    return title.removesuffix("Spec").removesuffix("Entry") or title
