"""API pages: one for each package of hetsim, with all its modules; a new one needs no page."""

from __future__ import annotations

from pathlib import Path

FOLDER = "reference/api"

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
        body = [f"# `{name}`", "", f"::: {name}", _options(3)]
        for module in modules:
            body += ["", f"## `{name}.{module}`", "", f"::: {name}.{module}", _options(3)]
        pages[f"{FOLDER}/{name}.md"] = "\n".join(body) + "\n"
    return pages


def _options(level: int) -> str:
    lines = ["    options:", f"      heading_level: {level}", "      show_root_heading: false"]
    return "\n".join(lines)


def _first_line(package: Path) -> str:
    text = (package / "__init__.py").read_text(encoding="utf-8").lstrip()
    if not text.startswith('"""'):
        return ""
    return " ".join(text[3:].split('"""')[0].split("\n\n")[0].split()).replace("|", "\\|")
