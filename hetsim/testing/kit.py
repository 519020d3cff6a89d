"""What a kit is: a class whose tests need nothing but its attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self


class Kit:
    """Base of all kits. Its tests are the methods whose names begin with ``test_``.

    A subclass called ``Test...`` is collected by pytest, which makes a fresh instance for every
    test. The kits themselves are not called so, and importing one collects nothing.
    """

    @classmethod
    def of(cls, **attributes: Any) -> type[Self]:
        """A subclass with these attributes, for where a ``class`` statement is too much.

        Raises:
            TypeError: the kit has no such attribute.
        """
        for name in attributes:
            if not hasattr(cls, name) and name not in cls._annotations():
                raise TypeError(f"{cls.__name__} has no attribute {name!r}")
        return type(cls.__name__, (cls,), attributes)

    @classmethod
    def checks(cls) -> list[str]:
        """The names of the kit's tests, in the order they are written, bases first."""
        found: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            found |= dict.fromkeys(name for name in vars(base) if name.startswith("test_"))
        return list(found)

    @classmethod
    def check(cls) -> None:
        """Runs every test, each on an instance of its own; the first failure is raised."""
        for name in cls.checks():
            test: Callable[[], None] = getattr(cls(), name)
            test()

    @classmethod
    def _annotations(cls) -> set[str]:
        return {name for base in cls.__mro__ for name in getattr(base, "__annotations__", {})}
