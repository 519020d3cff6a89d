"""The gallery: a page with every script and notebook of ``examples``, in full."""

from __future__ import annotations

import ast
import json
from pathlib import Path

PAGE = "howto/examples.md"

START = """# Examples

Short programs, one idea each. They are in the folder `examples` of the repository; the tests run
every one of them with every change. Run one with `python examples/NAME.py`; what it writes goes to
the working directory.

| file | what it shows |
|---|---|
"""


def example_pages(folder: Path) -> dict[str, str]:
    """The gallery."""
    rows, bodies = [], []
    for path in [*sorted(folder.glob("*.py")), *sorted(folder.glob("*.ipynb"))]:
        title, body = _script(path) if path.suffix == ".py" else _notebook(path)
        rows.append(f"| [`{path.name}`](#{path.stem}) | {title} |")
        bodies += [f"## {path.stem}", "", f"**{title}**", "", body, ""]
    return {PAGE: START + "\n".join([*rows, "", *bodies])}


def _script(path: Path) -> tuple[str, str]:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, _, rest = (ast.get_docstring(tree) or path.stem).partition("\n\n")
    code = "\n".join(text.splitlines()[tree.body[0].end_lineno :]).strip("\n")
    return title, f"{rest.strip()}\n\n```python\n{code}\n```"


def _notebook(path: Path) -> tuple[str, str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in cells]
    title, _, rest = texts[0][0].partition("\n\n")
    parts = [rest, *(f"```python\n{text}\n```" if code else text for text, code in texts[1:])]
    return f"{title.lstrip('# ')} (a notebook).", "\n\n".join(parts)
