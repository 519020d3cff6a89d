"""TFLite files to operator graphs, one step a module."""
