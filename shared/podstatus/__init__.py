"""What the status of a pod means: its Task state, and why it does not run."""
