"""Converting raw objects into models: how its faults are told."""
