"""Benchmarks: how fast, at what cost for the API server, beside another JobFlow controller where one is given."""
