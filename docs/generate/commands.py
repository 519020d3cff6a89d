"""A page for each verb of the command line, from its ``--help``."""

from __future__ import annotations

from hetsim.cli.main import VERBS

FOLDER = "reference/commands"


def command_pages() -> dict[str, str]:
    """Address and Markdown of each page, the overview first."""
    rows = [f"| [`hetsim {verb}`]({verb}.md) | {line} |" for verb, line in VERBS.items()]
    start = "# Commands\n\n| command | what it does |\n|---|---|\n" + "\n".join(rows) + EXITS
    pages = {f"{FOLDER}/index.md": start}
    for verb in VERBS:
        pages[f"{FOLDER}/{verb}.md"] = (
            f"::: mkdocs-click\n    :module: hetsim.cli.{verb}\n    :command: command\n"
            f"    :prog_name: hetsim {verb}\n    :style: table\n    :depth: 0\n"
        )
    return pages


EXITS = """

Every verb explains itself with `--help`; these pages are made from the same text.

## Exit codes

| code | meaning |
|---:|---|
| 0 | done |
| 1 | a defect of hetsim, with a traceback |
| 2 | an input or option that cannot be used, or a row that failed |
| 3 | results that differ (`hetsim diff --exit-code`) |
| 130 | interrupted |
| 141 | the reader of the output went away |
"""
