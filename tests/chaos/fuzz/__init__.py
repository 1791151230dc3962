"""Hostile input for the running webhook process, over TLS: mutated objects, mutated bytes, bombs, and bad connections."""
