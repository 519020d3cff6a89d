"""A plug-in of hetsim: a file for each thing it adds."""
