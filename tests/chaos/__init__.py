"""Seeded fault runs: a plan of harms is done to a cluster at work, and what came of it is judged afterwards."""
