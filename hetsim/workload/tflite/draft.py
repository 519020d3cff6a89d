"""A net under construction from a TFLite file, as the translation of single operators sees it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from types import ModuleType

from hetsim.numeric import Array
from hetsim.workload.onnx.ir import Net, Value
from hetsim.workload.tflite.file import File, FileOperator, names_of

TO_CHANNELS_FIRST = (0, 3, 1, 2)
_PLACE = {0: 0, 1: 2, 2: 3, 3: 1}
"""Where an image's dimension of the file stands here."""


class Draft:
    """Values by the file's positions, in the shapes that cost rules expect.

    ``constant`` names the values that no input decides, ``alias`` the tensor underneath each name
    that only shows one in another shape.
    """

    def __init__(self, file: File, net: Net, images: set[int], tflite: ModuleType) -> None:
        self.file = file
        self.net = net
        self.constant: set[str] = set()
        self.alias: dict[str, str] = {}
        self._images = images
        self._tflite = tflite
        for position, tensor in enumerate(file.tensors):
            self.net.values[tensor.name] = Value(
                tensor.name, self._told(position), tensor.elem_type, tensor.constant, tensor.data
            )
            if tensor.constant:
                self.constant.add(tensor.name)

    def _told(self, position: int) -> tuple[int, ...]:
        shape = self.shape(position)
        return tuple(shape[i] for i in TO_CHANNELS_FIRST) if position in self._images else shape

    def shape(self, position: int) -> tuple[int, ...]:
        """The shape in the file's own order; ``IndexError`` where a needed tensor is left out."""
        if position < 0:
            raise IndexError("an operator lacks one of its inputs")
        return self.file.tensors[position].shape

    def elem_type(self, position: int) -> int:
        """ONNX's element type of a tensor."""
        return self.file.tensors[position].elem_type

    def name(self, position: int) -> str:
        """The name of a tensor; '' where one is left out, or is state that stays in the unit."""
        left_out = position < 0 or self.file.tensors[position].state
        return "" if left_out else self.file.tensors[position].name

    def names(self, positions: Sequence[int]) -> tuple[str, ...]:
        """The names of several tensors."""
        return tuple(self.name(i) for i in positions)

    def data(self, op: FileOperator, operand: int) -> Array | None:
        """The values of a small constant operand, where they are known."""
        position = op.inputs[operand] if operand < len(op.inputs) else -1
        return self.file.tensors[position].data if position >= 0 else None

    def constant_of(self, enumeration: str, number: int) -> str:
        """The name that TFLite's schema has for a number; ``KeyError`` when it has none."""
        return names_of(getattr(self._tflite, enumeration))[number]

    def axis(self, position: int, axis: int) -> int:
        """Where an axis of the file's tensor stands in ours; never negative."""
        rank = len(self.shape(position))
        if not -rank <= axis < rank:
            raise IndexError(f"axis {axis} of {rank} dimensions")
        return _PLACE[axis % rank] if position in self._images else axis % rank

    def pools_globally(self, op: FileOperator) -> bool:
        """Whether a reduction runs over an image's height and width, and no more."""
        axes = self.data(op, 1)
        rank = len(self.shape(op.inputs[0]))
        return (
            rank == 4 and axes is not None
            and {int(a) % rank for a in axes.reshape(-1).tolist()} == {1, 2}
        )  # fmt: skip

    def image(self, position: int) -> str:
        """An operand as an image, whatever else it is; its name."""
        if position in self._images:
            return self.name(position)
        shape = self.shape(position)
        return self.seen_as(position, tuple(shape[i] for i in TO_CHANNELS_FIRST))

    def seen_as(self, position: int, shape: tuple[int, ...]) -> str:
        """The name of a view of a tensor with another shape; ``ValueError`` as in :meth:`view`."""
        tensor = self.file.tensors[position]
        if self._told(position) == shape:
            return tensor.name
        name = f"{tensor.name} as {'x'.join(map(str, shape))}"
        self.view(name, shape, tensor.name)
        return name

    def view(self, name: str, shape: tuple[int, ...], of: str) -> None:
        """Makes ``name`` another shape of the value ``of``.

        Raises:
            ValueError: it has another number of elements.
        """
        origin = self.net.values[of]
        if prod(shape) != origin.elements:
            raise ValueError(f"{of!r} of shape {list(origin.shape)} is no {list(shape)}")
        constant = of in self.constant
        self.net.values[name] = Value(
            name, shape, origin.elem_type, constant,
            stored=origin.stored, root=(origin.root or of) if constant else "",
        )  # fmt: skip
        if constant:
            self.constant.add(name)
        else:
            self.alias[name] = self.alias.get(of, of)

    def joined(self, positions: Sequence[int], shape: tuple[int, ...]) -> str:
        """The name of a constant that holds those of ``positions``, which all must be.

        Raises:
            ValueError: another number of elements, or a computed tensor among them.
        """
        parts = [self.file.tensors[i] for i in positions]
        if not all(part.constant for part in parts) or sum(
            prod(part.shape) for part in parts
        ) != prod(shape):
            raise ValueError(f"{[part.name for part in parts]} do not make {list(shape)}")
        name = "+".join(part.name for part in parts)
        self.net.values[name] = Value(name, shape, parts[0].elem_type, constant=True)
        self.constant.add(name)
        return name
