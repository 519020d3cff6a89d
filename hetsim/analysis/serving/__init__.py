"""What a served run means: its streams, their frames, and what these are judged by."""
