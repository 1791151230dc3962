"""Seeded fault runs: each injects a plan of faults into a working cluster and then checks invariants."""
