"""Where jobs are performed: here, in processes, on a cluster; one file each.

Studies have their points performed here, and runs their rows. What a job is, its bench knows.
Imports only the ground.
"""
