"""The command line: :mod:`hetsim.cli.main` and one module per verb."""
