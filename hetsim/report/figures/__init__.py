"""Pictures for papers and pages, drawn with matplotlib."""
