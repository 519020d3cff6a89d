"""Here so that helpers beside this file can be imported by the tests of every room."""
