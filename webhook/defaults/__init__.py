"""Defaults: what an object lacks, as settings. Idempotent: of a defaulted object they set nothing new."""
