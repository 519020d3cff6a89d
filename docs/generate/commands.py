"""A page for each verb of the command line, from the texts of its ``--help``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from hetsim.cli.main import VERBS, cli

FOLDER = "reference/commands"

AFTER = """
Every verb explains itself with `--help`; these pages are made from the same texts.

## Exit codes

| code | meaning |
|---:|---|
| 0 | done |
| 1 | a defect of hetsim, with a traceback |
| 2 | an input or option that cannot be used, or a row that failed |
| 3 | results that differ (`diff --exit-code`), an error above its limit (`validate`) |
| 130 | interrupted |
| 141 | the reader of the output went away |
"""


def command_pages() -> dict[str, str]:
    """Address and Markdown of each page, the overview first."""
    rows = [f"| [`hetsim {verb}`]({verb}.md) | {line} |" for verb, line in VERBS.items()]
    start = ["# Commands", "", "| command | what it does |", "|---|---|", *rows]
    pages = {f"{FOLDER}/index.md": "\n".join(start) + "\n" + AFTER}
    context = click.Context(cli, info_name="hetsim", **cli.context_settings)
    for verb in VERBS:
        command = cli.get_command(context, verb)
        if command is not None:
            pages[f"{FOLDER}/{verb}.md"] = "\n".join(_sections(command, context, verb, 1)) + "\n"
    return pages


def _sections(command: click.Command, parent: click.Context, name: str, level: int) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}"
    lines = [f"{'#' * level} {context.command_path}", "", *_prose(command.help or "")]
    lines += ["```", usage, "```", ""]
    lines += _options(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            lines += _sections(found, context, inner, level + 1)
    return lines


def _prose(text: str) -> Iterator[str]:
    """The help text; paragraphs after a backspace character are shown as they are."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith("\b"):
            yield from ("```", paragraph.removeprefix("\b").strip("\n"), "```", "")
        else:
            yield from (_escaped(" ".join(paragraph.split())), "")


def _options(command: click.Command, context: click.Context) -> list[str]:
    rows = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context)) is not None
    ]
    cells = [f"| `{name}` | {_escaped(' '.join(text.split()))} |" for name, text in rows]
    return ["| option | what it does |", "|---|---|", *cells, ""]


def _escaped(text: str) -> str:
    return re.sub(r"([|<>*_\[\]])", r"\\\1", text)
