"""Benchmarks of speed and of load on the API server, optionally beside another JobFlow controller."""
