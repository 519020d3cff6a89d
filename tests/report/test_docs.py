"""The pages in docs/ say only what works.

Their Python runs here, and the commands that are marked ``<!-- run -->``; all other commands (some
are studies of hours) must name verbs and options that exist. Blocks marked with
``<!-- example: NAME -->`` are files of their own and run in ``tests/cli/test_readme.py``. What the
pages link to must exist, be it written or made by ``docs/generate``.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

import hetsim
from hetsim.cli.main import VERBS, cli, entry

DOCS = Path(hetsim.__file__).parents[1] / "docs"
if not (DOCS / "background" / "thinking.md").is_file():  # an installed wheel has no docs beside it
    pytest.skip("docs are not part of the installed package", allow_module_level=True)

PAGES = sorted(DOCS.rglob("*.md"))


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).with_suffix("").as_posix()


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^<!-- example: .*\n```\w+\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def made_pages() -> dict[str, str]:
    """Address and text of the pages that the site makes from the code."""
    spec = importlib.util.spec_from_file_location("_docs_pages", DOCS / "generate" / "pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {page: text for pages in module.made_pages().values() for page, text in pages.items()}


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name_of)
def test_code_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in blocks(page, "python"):
        exec(compile(code, page.name, "exec", dont_inherit=True), names)


def marked_commands(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^<!-- run -->\n```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "".join(found).splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if marked_commands(p)], ids=name_of)
def test_commands_succeed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in marked_commands(page):
        program, *arguments = shlex.split(line, comments=True)
        assert program == "hetsim"
        assert entry(arguments) == 0, line
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return made_pages()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_options_and_anchors_that_are_named_exist(page: Path, made: dict[str, str]) -> None:
    text = page.read_text(encoding="utf-8")
    root = DOCS.parent
    for name in re.findall(r"`((?:hetsim|tests|benchmarks)/[\w/]+(?:\.py|/))`", text):
        assert (root / name).exists(), name
    for name in re.findall(r"^    python (benchmarks/\S+)", text, re.MULTILINE):
        assert (root / name).is_file(), name
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        address = place.relative_to(root).as_posix().removeprefix("docs/")
        assert address in made or place.is_file() or file.endswith("/examples"), target
        linked = made.get(address, "")
        if not linked and place.suffix == ".md":
            linked = place.read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.*)$", linked, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
        assert not anchor or anchor in slugs, target
    context = cli.make_context("hetsim", ["--help"], resilient_parsing=True)
    commands = re.findall(r"`hetsim (\w+)([^`]*)`", text)
    for code in blocks(page, "sh") + blocks(page, "console"):
        commands += re.findall(r"^(?:\$ )?hetsim (\w+)(.*)$", code, re.MULTILINE)
    for verb, rest in commands:
        assert verb in VERBS
        command = cli.get_command(context, verb)
        assert command is not None, verb
        if isinstance(command, click.Group) and rest.split():
            command = command.commands[rest.split()[0]]
        known = {name for parameter in command.params for name in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known, (verb, rest)


def test_the_readme_leads_to_every_page() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert page.stem == "index" or f"(docs/{name_of(page)}.md)" in readme, page
