"""Profiles in other tools' formats: one module per format, and the table of them.

Every reader turns files into :class:`~hetsim.cost.measured.table.ProfileTable` objects and tells
what it could not use: keys that stand for several operators, operators without a time, doubtful
units. Nothing is silently dropped, and nothing becomes zero.
"""
