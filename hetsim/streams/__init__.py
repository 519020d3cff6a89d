"""Streams of inferences: what arrives when, how urgent it is, and what happens when it is late.

Data and arrival processes only; :mod:`hetsim.sim.serving` carries them out. Imports the vocabulary
of descriptions (:mod:`hetsim.soc.fields`) and the ground.
"""
