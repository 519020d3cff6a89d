"""The page of streams: its charts, its data, its frame."""
