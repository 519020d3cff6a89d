"""What a user states of the sizes that a network's file leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """Sizes of one network, as scenario files and options of the command line give them.

    ``input_shapes``: whole shapes by input. ``dims``: numbers by named dimension, by
    ``INPUT.POSITION`` for a dimension without a name, or by input for one that is a single whole
    number. ``max_output``: by tensor or operator, how many results it has where the data decide
    (an ``int``), or the whole shape of a tensor that nothing else tells; turns of a Loop.
    """

    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    dims: Mapping[str, int] = field(default_factory=dict)
    max_output: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        input_shapes: Mapping[str, Sequence[int]] | None,
        dims: Mapping[str, int] | None,
        max_output: Mapping[str, int | Sequence[int]] | None,
    ) -> Sizes:
        """Sizes as notebooks give them."""
        return cls(
            {tensor: tuple(shape) for tensor, shape in (input_shapes or {}).items()},
            dict(dims or {}),
            {key: tuple(size) if isinstance(size, Sequence) else size
             for key, size in (max_output or {}).items()},
        )  # fmt: skip

    def options(self) -> dict[str, Any]:
        """Those that are given, as :func:`hetsim.workload.networks.load_network` takes them."""
        fields = {
            "input_shapes": self.input_shapes, "dims": self.dims, "max_output": self.max_output,
        }  # fmt: skip
        return {name: dict(given) for name, given in fields.items() if given}

    def with_these(self, more: Sizes) -> Sizes:
        """These, and ``more`` in front of them."""
        return Sizes(
            {**self.input_shapes, **more.input_shapes},
            {**self.dims, **more.dims},
            {**self.max_output, **more.max_output},
        )

    def plain(self) -> dict[str, Any]:
        """The same as a scenario file writes it: lists for shapes."""
        return {
            name: {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
            for name, given in self.options().items()
        }


NO_SIZES = Sizes()
