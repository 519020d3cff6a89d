"""Checks a located document against a pydantic schema and reports every problem with its place."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hetsim.errors import ConfigError, Location, shortened
from hetsim.names import nearest, suggest
from hetsim.yamlio import Document, Keys

_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")

MOST_TOLD = 10
"""Problems of one document that are told one by one."""

MOST_LOOKED_AT = 500
"""Problems that are put into words, so that the first of them in the file can be told."""

Model = TypeVar("Model", bound=BaseModel)


def dotted(path: Keys) -> str:
    """A path as people write it: ``pus.npu.path[0]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def validate(model: type[Model], document: Document) -> Model:
    """Builds ``model`` from a document.

    Raises:
        ConfigError: it does not fit. Located at the first problem; the message lists the first
            :data:`MOST_TOLD`, each with its place, field, offending value, and what would be right.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems = [_problem(model, document, e) for e in found[:MOST_LOOKED_AT]]
    # Pydantic reports in schema order; a reader works through the file.
    problems = sorted(
        dict.fromkeys(problems), key=lambda p: (p[0].line or 0, p[0].column or 0, p[0].file)
    )
    (where, first), rest = problems[0], problems[1:MOST_TOLD]
    lines = [shortened(first, 300), *(f"{w}: {shortened(m, 300)}" for w, m in rest)]
    left = len(problems) - MOST_TOLD + len(found[MOST_LOOKED_AT:])
    if left > 0:
        lines.append(f"and {left:,} more problems like these")
    raise ConfigError("\n".join(lines), where=where)


def _problem(model: type[BaseModel], document: Document, error: Any) -> tuple[Location, str]:
    """The place and the message of one pydantic error."""
    path, about_key = _resolve(error["loc"], document.data)
    kind, value = error["type"], error["input"]
    context = error.get("ctx", {})
    if kind == "missing":
        parent, name = path[:-1], path[-1]
        field = _field(_model_at(model, parent, document.data), str(name))
        about = f" ({field.description})" if field is not None and field.description else ""
        where = document.where_key(parent)
        return where, f"{_prefix(parent)}field {name!r} is missing{about}"
    if kind == "extra_forbidden":
        parent, name = path[:-1], path[-1]
        fields = _names(_model_at(model, parent, document.data))
        hint = suggest(name, fields, "allowed")
        return document.where_key(path), f"{_prefix(parent)}unknown field {name!r}; {hint}"
    where = document.where_key(path) if about_key else document.where(path)
    return where, f"{_prefix(path)}{_say(kind, value, context, error['msg'])}"


def _say(kind: str, value: object, context: dict[str, Any], message: str) -> str:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    if kind == "value_error":
        return str(context.get("error", message))
    if kind == "located":  # cross-reference checks word their own messages
        return message
    if kind == "literal_error":
        allowed = str(context["expected"])
        guess = nearest(
            value, [part.strip("'") for part in allowed.replace(" or ", ", ").split(", ")]
        )
        more = f"; did you mean {guess!r}?" if guess else ""
        return f"{shown} is not allowed; write {allowed}{more}"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{shown} stands where a mapping of fields was expected"
    if kind == "list_type":
        return f"{shown} stands where a list was expected"
    if kind == "too_short":
        least = context["min_length"]
        return f"{shown}: at least {least} item{'s' if least > 1 else ''} must be there"
    message = message.removeprefix("Input should be ").removeprefix("a valid ")
    if message.startswith(("greater", "less", "finite")):
        return f"{shown} is out of range: it must be {message}"
    if kind == "float_type" and isinstance(value, str) and _EXPONENT.fullmatch(value):
        return f"{shown} is text to YAML; write {float(value):.6g} or {_with_point(value)}"
    if kind.endswith(("_type", "_parsing")):
        article = "an" if message[0] in "aeiou" else "a"
        return f"{shown} is not {article} {message.split(',')[0]}"
    if kind == "string_pattern_mismatch":
        return f"{shown} is not a name: use letters, digits and '_', a letter first"
    return f"{shown}: {message}"


def _with_point(text: str) -> str:
    """``1e-3`` as YAML 1.1 wants it: ``1.0e-3``."""
    mantissa, exponent = text.lower().split("e")
    mantissa += "" if "." in mantissa else ".0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def _prefix(path: Keys) -> str:
    return f"{dotted(path)}: " if path else ""


def _resolve(loc: tuple[str | int, ...], data: Any) -> tuple[Keys, bool]:
    """The part of a pydantic location that exists in the data, and whether it is about a key.

    Pydantic mixes in tags of union members and ``[key]`` markers, which the file does not have.
    """
    path: list[str | int] = []
    about_key = loc[-1:] == ("[key]",)
    for i, key in enumerate(loc):
        inside = (isinstance(data, dict) and key in data) or (
            isinstance(data, list) and isinstance(key, int) and key < len(data)
        )
        if inside:
            data = data[key]
            path.append(key)
        elif i == len(loc) - 1 and isinstance(data, dict) and not about_key:
            path.append(key)  # a missing field
    return tuple(path), about_key


def _model_at(annotation: Any, path: Keys, data: Any) -> type[BaseModel] | None:
    """The schema class that describes the mapping at ``path`` below ``annotation``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return annotation
        field = _field(annotation, str(path[0]))
        below = data.get(path[0]) if isinstance(data, dict) else None
        if field is None:
            return None
        return _model_at(_told_by(field.metadata, below) or field.annotation, path[1:], below)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        found = [m for a in arguments if (m := _model_at(a, path, data)) is not None]
        keys = set(data) if isinstance(data, dict) else set()
        # Of several members the one that knows most of what was written.
        return max(found, key=lambda m: len(keys & set(_names(m))), default=None)
    if origin is dict and path:
        below = data.get(path[0]) if isinstance(data, dict) else None
        return _model_at(arguments[1], path[1:], below)
    if origin is list and path:
        index = path[0]
        inside = isinstance(data, list) and isinstance(index, int) and index < len(data)
        return _model_at(arguments[0], path[1:], data[index] if inside else None)
    if hasattr(annotation, "__metadata__"):
        inside = _told_by(annotation.__metadata__, data) or annotation.__origin__
        return _model_at(inside, path, data)
    return None


def _told_by(metadata: Iterable[Any], data: Any) -> Any:
    """The class of ``data`` where an annotation tells it from them (``schema_for``)."""
    chooser = next((part for part in metadata if hasattr(part, "schema_for")), None)
    return chooser.schema_for(data) if chooser else None


def _fields(model: type[BaseModel] | None) -> Iterator[tuple[str, Any]]:
    if model is not None:
        for name, field in model.model_fields.items():
            yield field.alias or name, field


def _names(model: type[BaseModel] | None) -> list[str]:
    return [name for name, _ in _fields(model)]


def _field(model: type[BaseModel] | None, name: str) -> Any:
    return next((field for known, field in _fields(model) if known == name), None)


def json_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``model``."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **model.model_json_schema(), "title": title}
