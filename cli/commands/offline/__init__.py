"""Commands that use the Python interface of flows."""
