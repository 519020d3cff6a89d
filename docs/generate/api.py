"""API pages: one for each package of hetsim, with all its modules; a new one needs no page."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = "reference/api"

# The guides come first in search, and the overview before the details.
LOWER_IN_SEARCH = "---\nsearch: {boost: 0.5}\n---\n"

OPTIONS = ["    options:", "      heading_level: 3", "      show_root_heading: false"]

START = """# API

Every package of hetsim has a page here, made from its docstrings. What a notebook needs is
gathered in [Python](../python.md). The order of the packages, which may import which, is in
[Contributing](../../contributing.md#the-rooms).

| package | what it is |
|---|---|
"""


def api_pages(source: Path) -> dict[str, str]:
    """Address and Markdown of each page, the overview first; ``source`` is the package's folder."""
    packages = sorted(path.parent for path in source.rglob("__init__.py"))
    pages = {f"{FOLDER}/index.md": START}
    for package in packages:
        name = ".".join(package.relative_to(source.parent).parts)
        modules = sorted(
            file.stem
            for file in package.glob("*.py")
            if not file.stem.startswith("_") and file.stem != "__init__"
        )
        pages[f"{FOLDER}/index.md"] += f"| [`{name}`]({name}.md) | {_first_line(package)} |\n"
        # The top package only names what others define.
        top = ["      members: false"] if package == source else []
        body = [LOWER_IN_SEARCH, f"# `{name}`", "", f"::: {name}", *OPTIONS, *top]
        for module in modules:
            body += ["", f"## `{name}.{module}`", "", f"::: {name}.{module}", *OPTIONS]
        pages[f"{FOLDER}/{name}.md"] = "\n".join(body) + "\n"
    return pages


def _first_line(package: Path) -> str:
    text = (package / "__init__.py").read_text(encoding="utf-8").lstrip()
    if not text.startswith('"""'):
        return ""
    first = " ".join(text[3:].split('"""')[0].split("\n\n")[0].split())
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", first).replace("|", "\\|")
