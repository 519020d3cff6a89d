"""What every format of networks owes: one graph for one file, and faults have a place."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from hetsim.errors import HetsimError
from hetsim.testing.kit import Kit
from hetsim.testing.reader import JUNK
from hetsim.workload.costing import RULES
from hetsim.workload.formats import HEAD, format_of, formats
from hetsim.workload.graph import Graph
from hetsim.workload.networks import load_network, network_inputs


class ModelFormatKit(Kit):
    """Checks one format by its ``name`` in the registry: override :meth:`write`.

    ``macs`` is what the network that :meth:`write` writes multiplies, counted by hand.
    """

    name: ClassVar[str]
    macs: ClassVar[int]

    @abstractmethod
    def write(self) -> bytes:
        """A small network in a file of this format."""

    @property
    def file(self) -> str:
        """A name for such a file."""
        return f"network{formats()[self.name].suffixes[0]}"

    def read(self, content: bytes) -> Graph:
        """The graph of a file with this content."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            path.write_bytes(content)
            return load_network(path)

    def test_a_file_of_it_is_known_by_its_name(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            path.write_bytes(self.write())
            found = format_of(path)
        assert found is formats()[self.name], f"{self.file} is taken for {found.title}"

    def test_no_other_format_takes_its_content_for_its_own(self) -> None:
        head = self.write()[:HEAD]
        wrong = [n for n, form in formats().items() if n != self.name and form.recognises(head)]
        assert not wrong, f"its content is taken for {wrong}"

    def test_one_file_is_one_network(self) -> None:
        content = self.write()
        graph, again = self.read(content), self.read(content)
        assert graph.operators == again.operators, "the same file read twice gives two networks"
        assert graph.macs == self.macs, f"{graph.macs} multiply-accumulates, not {self.macs}"

    def test_kinds_have_the_names_that_soc_files_use(self) -> None:
        kinds = {op.kind for op in self.read(self.write()).operators}
        assert kinds <= RULES.keys(), f"nobody models {sorted(kinds - RULES.keys())}"

    def test_inputs_can_be_asked_for_without_the_rest(self) -> None:
        content = self.write()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            path.write_bytes(content)
            told = set(network_inputs(str(path)))
        missing = set(self.read(content).inputs) - told
        assert not missing, f"inputs that are not told: {sorted(missing)}"

    def test_a_missing_file_is_told_by_name(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            try:
                load_network(path)
            except HetsimError as error:
                assert self.file in str(error), f"which file? {error}"  # noqa: PT017
                return
        raise AssertionError("a network came out of no file")

    def test_junk_is_an_error_that_names_the_file(self) -> None:
        for what, content in JUNK.items():
            try:
                graph = self.read(content)
            except HetsimError as error:
                assert self.file in str(error), f"{what}: which file? {error}"  # noqa: PT017
                continue
            raise AssertionError(f"{what}: {len(graph)} operators came out of it")

    def test_a_file_that_ends_early_is_read_or_refused_with_its_name(self) -> None:
        content = self.write()
        for tenth in range(1, 10):
            try:
                self.read(content[: len(content) * tenth // 10])
            except HetsimError as error:
                assert self.file in str(error), f"which file? {error}"  # noqa: PT017
