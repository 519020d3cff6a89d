"""What a run means: metrics, where the time went, why things waited.

Imports the simulator's traces, bounds and what stands under them; reports and runs read it.
"""
