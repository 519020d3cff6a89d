"""The command line: :mod:`hetsim.cli.main` and one module per verb.

Imports every other room, and each only when its verb is called; nothing imports the command line.
"""
