"""What builds a release: the wheel, the chart, manifests, bills of materials, checksums and notes. Never installed."""
