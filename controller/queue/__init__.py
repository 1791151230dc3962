"""Queues: their states, and what is counted in them (volcano-behaviour.md 5.4). Pure."""
