"""The gallery: a page with every script and notebook of ``examples``, in full."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from notebooks import Output, outputs

PAGE = "howto/examples.md"

START = """# Examples

Short programs, one idea each. They are in the folder `examples` of the repository; the tests run
every one of them with every change. Run one with `python examples/NAME.py`; what it writes goes to
the working directory.

| file | what it shows |
|---|---|
"""


def example_pages(folder: Path, *, execute: bool = False) -> dict[str, str]:
    """The gallery; notebooks with what their cells put out if they are to be executed."""
    rows, bodies, pages = [], [], {}
    for path in [*sorted(folder.glob("*.py")), *sorted(folder.glob("*.ipynb"))]:
        if path.suffix == ".py":
            title, body = _script(path)
        else:
            title, body, shown = _notebook(path, execute)
            pages |= shown
        rows.append(f"| [`{path.name}`](#{path.stem}) | {title} |")
        bodies += [f"## {path.stem}", "", f"**{title}**", "", body, ""]
    return {PAGE: START + "\n".join([*rows, "", *bodies]), **pages}


def _script(path: Path) -> tuple[str, str]:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, _, rest = (ast.get_docstring(tree) or path.stem).partition("\n\n")
    code = "\n".join(text.splitlines()[tree.body[0].end_lineno :]).strip("\n")
    return title, f"{rest.strip()}\n\n```python\n{code}\n```"


HEAD = "<!DOCTYPE html><meta charset='utf-8'><meta name='color-scheme' content='light dark'>"
FRAME = (
    '<iframe class="output" src="../{0}" title="What the cell shows" loading="lazy"'
    " onload=\"this.style.height = this.contentDocument.documentElement.scrollHeight + 'px'\">"
    "</iframe>"
)
"""What a cell shows stands in a file of its own, so that its style stays there."""


def _notebook(path: Path, execute: bool) -> tuple[str, str, dict[str, str]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in cells]
    title, _, rest = texts[0][0].partition("\n\n")
    codes = [text for text, code in texts if code]
    shown = iter(outputs(codes, path.name) if execute else [Output() for _ in codes])
    parts, pages = [rest], {}
    for text, code in texts[1:]:
        if not code:
            # Headings of the notebook are below the one that names it.
            parts.append(f"#{text}" if text.startswith("## ") else text)
            continue
        parts.append(f"```python\n{text}\n```")
        output = next(shown)
        if output.printed:
            parts.append(f"```\n{output.printed.rstrip()}\n```")
        if output.html:
            name = f"{path.stem}-{len(pages) + 1}.html"
            pages[f"howto/{name}"] = f"{HEAD}<title>{path.stem}</title>{output.html}"
            parts.append(FRAME.format(name))
    return f"{title.lstrip('# ')} (a notebook).", "\n\n".join(parts), pages
