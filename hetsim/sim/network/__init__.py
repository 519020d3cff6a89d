"""Links and memories over simulated time, and how concurrent transfers share them."""
