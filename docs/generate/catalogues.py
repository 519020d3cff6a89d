"""What ships with hetsim, as ``hetsim list`` shows it."""

from __future__ import annotations

from hetsim.cli.list import CATALOGUES

PAGE = "reference/catalogues.md"

START = """# What ships

Made from `hetsim list`, which also prints it as JSON.
"""


def catalogue_pages() -> dict[str, str]:
    """The page: a table for each catalogue."""
    parts = [START]
    for name, catalogue in CATALOGUES.items():
        rows = catalogue.rows()
        title = "SoCs" if name == "socs" else name.capitalize()
        parts += [f"## {title}", "", f"`hetsim list {name}`", ""]
        parts += [
            "| " + " | ".join(catalogue.columns) + " |",
            "|---" * len(catalogue.columns) + "|",
        ]
        for row in catalogue.shown(rows):
            cells = [_cell(make(row)) for make in catalogue.columns.values()]
            parts.append(f"| `{cells[0]}` | " + " | ".join(cells[1:]) + " |")
        parts.append("")
        with_parameters = [row for row in rows if row.get("parameters")]
        if with_parameters:
            parts += ["Parameters and their defaults:", "", "| name | parameters |", "|---|---|"]
            for row in with_parameters:
                values = row["parameters"]
                assert isinstance(values, dict)
                listed = ", ".join(f"`{key}={value}`" for key, value in values.items())
                parts.append(f"| `{row['name']}` | {listed} |")
            parts.append("")
    return {PAGE: "\n".join(parts)}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
