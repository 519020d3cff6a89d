"""What a delegating runtime should offload, and why."""
