"""Manifests as files: reading, positions in YAML, converting."""
