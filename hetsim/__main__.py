"""``python -m hetsim`` is the ``hetsim`` command."""

import sys

from hetsim.cli.main import entry

if __name__ == "__main__":
    sys.exit(entry())
