"""The version of hetsim that is running."""

from __future__ import annotations

from functools import cache


def version() -> str:
    """The installed version; a checkout that was never installed says so."""
    return installed()


@cache
def installed() -> str:
    """The version that the installation states, looked up once."""
    from importlib import metadata

    try:
        return metadata.version("hetsim")
    except metadata.PackageNotFoundError:
        return "0+unknown"
