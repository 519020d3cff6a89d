"""What mkdocs calls: adds the pages that are made from the code, and mends links out of ``docs``.

The pages written by hand read well in a repository browser, too. Their links to files outside
``docs`` are pointed at the page which the site has for that file.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pages import COPIES, ROOT, made_pages

import hetsim

COMMANDS = re.compile(r"^```console\n((?:(?!\$ |```).*\n)*)```$", re.MULTILINE)
"""Blocks of commands without a prompt, which a highlighter takes for output."""
LINK = re.compile(r"(\]\()([^)\s#]*)(#[^)\s]*)?(\))")
PYTHON = "reference/python.md"
NAME = """
::: hetsim.{}
    options:
      heading_level: 3
      show_root_heading: true
      show_root_toc_entry: true
"""

_made: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Makes the pages and lists them where the navigation says ``made: KIND``."""
    kinds = made_pages(execute=True)
    _made.clear()
    for pages in kinds.values():
        _made.update(pages)
    config.nav = _filled(config.nav, kinds)
    config.watch += [str(ROOT / name) for name in (*COPIES, "hetsim", "examples")]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages."""
    for address, text in _made.items():
        files.append(File.generated(config, address, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Points links that leave ``docs`` at pages of the site; adds the public names of Python."""
    address = page.file.src_uri
    markdown = COMMANDS.sub(r"```sh\n\1```", markdown)
    if address == PYTHON:
        names = [name for name in hetsim.__all__ if not name.startswith("_")]
        markdown += "\n## Names\n\n" + "\n".join(NAME.format(name) for name in names)
    files_of_copies = {made: name for name, made in COPIES.items()}
    # Where the text stands in the repository: its links start from there.
    here = posixpath.dirname(files_of_copies.get(address, f"docs/{address}"))
    if address in _made and address not in files_of_copies:
        return markdown
    return LINK.sub(lambda match: _mended(match, here, address), markdown)


def _mended(match: re.Match[str], here: str, address: str) -> str:
    before, target, anchor, after = match.groups()
    if not target or "://" in target:
        return match[0]
    wanted = posixpath.normpath(posixpath.join(here, target))
    if wanted == "examples":
        wanted = "howto/examples.md"
    elif wanted in COPIES:
        wanted = COPIES[wanted]
    elif wanted.startswith("docs/"):
        wanted = wanted.removeprefix("docs/")
    else:  # a file that the site does not show
        return match[0]
    relative = posixpath.relpath(wanted, posixpath.dirname(address) or ".")
    return f"{before}{relative}{anchor or ''}{after}"


def _filled(nav: Any, kinds: dict[str, dict[str, str]]) -> Any:
    """``nav`` with the pages of a kind in place of each ``made: KIND``."""
    if isinstance(nav, list):
        return [_filled(item, kinds) for item in nav]
    if isinstance(nav, dict):
        return {title: _filled(item, kinds) for title, item in nav.items()}
    if isinstance(nav, str) and nav.startswith("made: "):
        return [_entry(address) for address in kinds[nav.removeprefix("made: ")]]
    return nav


def _entry(address: str) -> Any:
    name = posixpath.basename(address).removesuffix(".md")
    return address if name == "index" else {name.removeprefix("hetsim."): address}
