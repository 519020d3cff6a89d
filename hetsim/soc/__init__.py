"""SoCs as described: schema of their files, kinds of processing units, and the checked object.

Imports only the ground (units, errors, names, YAML); everything else reads it.
"""
