"""The checks that ship with hetsim: a file for each source of reference values.

Imports whatever a check compares; the registry names the classes as text.
"""
