"""Manifests as files: reading, positions in YAML, checking, converting."""
