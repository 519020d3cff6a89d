"""SoCs as described: schema of their files, kinds of processing units, and the checked object.

Imports the ground (units, errors, names, YAML) and the names of operator kinds; the rest reads it.
"""
