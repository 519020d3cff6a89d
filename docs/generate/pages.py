"""All pages that are made from the code and from files outside ``docs``, by kind.

Nothing here needs mkdocs, so that the tests can make them, too.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from api import api_pages  # noqa: E402
from catalogues import catalogue_pages  # noqa: E402
from commands import command_pages  # noqa: E402
from formats import format_pages  # noqa: E402

import hetsim  # noqa: E402
from examples import example_pages  # noqa: E402

sys.path.remove(str(HERE))

COPIES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Files at the top of the repository and the pages that show them."""


def made_pages(*, execute: bool = False) -> dict[str, dict[str, str]]:
    """By kind, the address and the Markdown of each page, in the order of the navigation.

    ``outputs`` are the files that those pages show where notebooks are to be executed.
    """
    examples = example_pages(ROOT / "examples", execute=execute)
    return {
        "api": api_pages(Path(hetsim.__file__).parent),
        "commands": command_pages(),
        "formats": format_pages(),
        "catalogues": catalogue_pages(),
        "examples": {name: text for name, text in examples.items() if name.endswith(".md")},
        "outputs": {name: text for name, text in examples.items() if not name.endswith(".md")},
        "copies": {page: _copy(name) for name, page in COPIES.items()},
    }


def _copy(name: str) -> str:
    text = (ROOT / name).read_text("utf-8")
    return f"---\nhide: [navigation]\n---\n\n{text}" if name == "README.md" else text
