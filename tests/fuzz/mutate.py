"""Ways to damage a file, from flipped bits to values that only a schema can tell from good ones.

Every mutator takes a random generator and the good content, and gives back bytes. The same
generator gives the same bytes.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import re
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from hetsim.records import SEAL, seal

Mutator = Callable[[Random, bytes], bytes]

NUMBERS = ("0", "-1", "1", "2", "1e999", "-1e999", ".inf", ".nan", "NaN", "1e-320", "1e308", "0.5",
           str(2**31), str(2**63), str(10**40), "9" * 500, "0x" + "f" * 400, "true", "null", "'7'",
           "-0.0", "1_000", "1:30", "1e3")  # fmt: skip
WORDS = ("", "~", "../../../x", "/dev/zero", "~nosuchuser/x", "a\x00b", "\ud800", "\ufffe",
         "x" * 3000, "[]", "{}", "- a", "<<: *x", "&x", "*x", "!!python/object:os.system", "\t",
         "\x1b[31m", "|", "null", "yes", "cpu", "npu", "dram", "all")  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 1e-320, 1e308, float("inf"), float("nan"),
    0.5, -0.5, "", "x", "../x", "\x00", "\ud800", [], {}, [[]], [1], {"a": 1}, [None], "x" * 3000,
)  # fmt: skip


def some_bytes(random: Random, good: bytes) -> bytes:
    """A few bits, bytes or ranges changed, lost, repeated, or the end cut off."""
    content = bytearray(good)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        if not content:
            break
        at = random.randrange(len(content))
        length = random.choice((1, 1, 2, 4, 16, 64))
        match random.randrange(7):
            case 0:
                content[at] ^= 1 << random.randrange(8)
            case 1:
                content[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del content[at : at + length]
            case 3:
                content[at:at] = random.randbytes(length)
            case 4:
                content[at:at] = content[at : at + length]
            case 5:
                other = random.randrange(len(content))
                content[at : at + length] = content[other : other + length]
            case 6:
                del content[at:]
    return bytes(content)


WORDS_32 = (0, 1, 2, 3, 4, 8, 127, 255, 2**16, 2**28, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 8)


def some_words(random: Random, good: bytes) -> bytes:
    """Whole 32-bit numbers changed, where a binary format keeps its offsets, sizes and shapes."""
    content = bytearray(good)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(content) // 4) * 4
        old = int.from_bytes(content[at : at + 4], "little")
        near = (old + random.choice((-8, -4, -1, 1, 4, 8))) % 2**32
        new = random.choice((near, near, random.choice(WORDS_32)))
        content[at : at + 4] = new.to_bytes(4, "little")
    return bytes(content)


_TOKEN = re.compile(r"[^\s,:{}\[\]\"']+")


def some_text(random: Random, good: bytes) -> bytes:
    """Words, numbers and lines of a text replaced, lost, repeated, or put elsewhere."""
    text = good.decode("utf-8", "replace")
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        tokens = list(_TOKEN.finditer(text))
        lines = text.split("\n")
        match random.randrange(6):
            case 0 | 1 if tokens:
                token = random.choice(tokens)
                new = random.choice(NUMBERS if random.random() < 0.6 else WORDS)
                text = text[: token.start()] + new + text[token.end() :]
            case 2 if len(tokens) > 1:
                one, two = random.choice(tokens), random.choice(tokens)
                text = text[: one.start()] + two.group() + text[one.end() :]
            case 3:
                del lines[random.randrange(len(lines))]
                text = "\n".join(lines)
            case 4:
                lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
                text = "\n".join(lines)
            case _:
                at = random.randrange(len(lines))
                lines[at] = random.choice((" ", "  ", "\t", "- ")) + lines[at]
                text = "\n".join(lines)
    return text.encode("utf-8", "surrogatepass")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, part in value.items():
            found += _places(part, (*path, key))
    elif isinstance(value, list):
        for i, part in enumerate(value[:40]):
            found += _places(part, (*path, i))
    return found


def _changed(random: Random, document: Any) -> Any:
    """Plain data with one to three values replaced, lost, doubled, or exchanged."""
    document = copy.deepcopy(document)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = _places(document)
        if not places:
            return random.choice(VALUES)
        *above, last = random.choice(places)
        home = document
        for key in above:
            home = home[key]
        match random.randrange(6):
            case 0 | 1 | 2:
                home[last] = copy.deepcopy(random.choice(VALUES))
            case 3:
                del home[last]
            case 4 if isinstance(home, list):
                home.insert(last, copy.deepcopy(home[last]))
            case 4:
                home[f"{last}x"] = home.pop(last)
            case _:
                number = home[last]
                if isinstance(number, int | float) and not isinstance(number, bool):
                    home[last] = number * random.choice((-1, 0, 2, 1000, 1e9)) + random.choice(
                        (0, 1)
                    )
                elif isinstance(number, str):
                    home[last] = number[::-1]
    return document


def some_values(random: Random, good: bytes) -> bytes:
    """JSON whose structure is good and whose values are not."""
    return json.dumps(_changed(random, json.loads(good))).encode()


def some_sealed_values(random: Random, good: bytes) -> bytes:
    """The same by somebody who seals it again: harm on purpose."""
    document = _changed(random, json.loads(good))
    if isinstance(document, dict):
        document.pop(SEAL, None)
        try:
            document = seal(document)
        except ValueError:  # no seal for what is endless
            document[SEAL] = ""
    return json.dumps(document).encode()


def some_packed_values(random: Random, good: bytes) -> bytes:
    """The same inside a gzip file."""
    return gzip.compress(some_values(random, gzip.decompress(good)), 1, mtime=0)


def some_arrays(random: Random, good: bytes) -> bytes:
    """An .npz file with arrays of other shapes, types and values, or another description."""
    with np.load(io.BytesIO(good)) as file:
        arrays = {name: file[name] for name in file.files}
    name = random.choice(sorted(arrays))
    array = arrays[name]
    if array.dtype.kind == "U":
        arrays[name] = np.array(some_values(random, str(array).encode()).decode())
    else:
        match random.randrange(5):
            case 0:
                arrays[name] = np.full(array.shape, random.choice((np.nan, np.inf, -1.0, 1e300)))
            case 1:
                arrays[name] = array.reshape(-1)[: random.randrange(array.size + 1)]
            case 2:
                arrays[name] = array.T[None]
            case 3:
                arrays[name] = array.astype(random.choice(("S8", "complex128", "bool", "int8")))
            case _:
                del arrays[name]
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def some_cells(random: Random, good: bytes) -> bytes:
    """An SQLite file with cells and rows changed by SQL: whole as a database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "db")
        path.write_bytes(good)
        database = sqlite3.connect(path, isolation_level=None)
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master"
                                                     " WHERE type = 'table'")]  # fmt: skip
        for _ in range(random.choice((1, 1, 2))):
            table = random.choice(tables)
            try:
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                column = random.choice(columns)
                rows = [row[0] for row in database.execute(f"SELECT {column} FROM {table}")]
                if not rows:
                    continue
                old = random.choice(rows)
                match random.randrange(4):
                    case 0:
                        database.execute(f"DELETE FROM {table} WHERE {column} = ?", (old,))
                    case 1 if isinstance(old, str):
                        new: Any = some_text(random, old.encode()).decode("utf-8", "replace")
                        database.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?",
                                         (new, old))  # fmt: skip
                    case 2:
                        database.execute(f"DROP TABLE {table}")
                    case _:
                        new = random.choice(("", "x", 0, -1, 2**62, None, b"\xff", 1e308))
                        database.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?",
                                         (new, old))  # fmt: skip
            except (sqlite3.Error, IndexError):  # a table that is gone already
                continue
        database.close()
        return path.read_bytes()


SIZES = (0, 1, -1, 2, 3, 7, 64, -64, 2**31 - 1, 2**31, 2**62, -(2**62))
KINDS = ("Conv", "Gemm", "MatMul", "Relu", "Add", "Reshape", "Concat", "Softmax", "MaxPool",
         "Constant", "Shape", "Gather", "Expand", "Tile", "Slice", "Pad", "Resize", "Split", "If",
         "Loop", "LSTM", "Einsum", "ConvTranspose", "BatchNormalization", "Flatten", "Squeeze",
         "Unsqueeze", "Transpose", "AveragePool", "LayerNormalization", "Cast", "ReduceMean",
         "ConstantOfShape", "Range", "Where", "NonZero", "Nope")  # fmt: skip


def some_nodes(random: Random, good: bytes) -> bytes:
    """An ONNX model that parses, with dimensions, attributes, kinds and edges changed."""
    model = onnx.ModelProto.FromString(good)
    graph = model.graph
    for _ in range(random.choice((1, 1, 2, 3))):
        node = random.choice(graph.node) if graph.node else None
        match random.randrange(11):
            case 0 | 1 if graph.initializer:
                tensor = random.choice(graph.initializer)
                if tensor.dims:
                    tensor.dims[random.randrange(len(tensor.dims))] = random.choice(SIZES)
                else:
                    tensor.dims.append(random.choice(SIZES))
            case 2 if graph.initializer:
                tensor = random.choice(graph.initializer)
                tensor.data_type = random.choice((0, 1, 7, 8, 9, 10, 16, 99, 2**30))
            case 3 if graph.input:
                shape = random.choice(graph.input).type.tensor_type.shape
                if shape.dim:
                    random.choice(shape.dim).dim_value = random.choice(SIZES)
            case 4 | 5 if node is not None and node.attribute:
                attribute = random.choice(node.attribute)
                if attribute.ints and random.random() < 0.7:
                    attribute.ints[random.randrange(len(attribute.ints))] = random.choice(SIZES)
                elif attribute.ints:
                    del attribute.ints[random.randrange(len(attribute.ints)) :]
                elif random.random() < 0.5:
                    attribute.i = random.choice(SIZES)
                else:
                    attribute.type = random.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11))
            case 6 if node is not None:
                node.op_type = random.choice(KINDS)
            case 7 if node is not None:
                names = [t for other in graph.node for t in (*other.input, *other.output)]
                field = random.choice((node.input, node.output))
                if field and random.random() < 0.7:
                    field[random.randrange(len(field))] = random.choice([*names, "", "nobody"])
                elif field:
                    del field[random.randrange(len(field))]
                else:
                    field.append(random.choice(names))
            case 8 if node is not None:
                node.attribute.append(
                    helper.make_attribute(
                        random.choice(("axis", "axes", "group", "strides", "pads", "kernel_shape",
                                       "alpha", "transB", "equation", "value", "dilations")),
                        random.choice((1, -1, 2**40, 0.5, "a,b->c", [1], [-1, 0], [2**40] * 4)),
                    )
                )  # fmt: skip
            case 9 if model.opset_import:
                model.opset_import[0].version = random.choice((*SIZES, 5, 11, 22))
            case _:
                value = random.choice([*graph.value_info, *graph.output, *graph.input])
                value.type.tensor_type.elem_type = random.choice((0, 1, 7, 8, 99))
                dims = value.type.tensor_type.shape.dim
                dims.add().dim_value = random.choice(SIZES)
    if random.random() < 0.1:
        del graph.node[random.randrange(len(graph.node) or 1) :]
    if random.random() < 0.05 and graph.node:
        extra = TensorProto(name="t", dims=[random.choice(SIZES)], data_type=1)
        graph.node[0].attribute.append(helper.make_attribute("value", extra))
    return model.SerializeToString()
