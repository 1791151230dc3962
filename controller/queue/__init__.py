"""Queues: their states, and what is counted in them (docs/design/volcano-behaviour.md, section 5.4). Pure."""
