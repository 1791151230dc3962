"""Flows in a cluster: applied, run, waited for, and what came of them."""
