"""The objects that schedules and flows create: their metadata, and the JobFlow for a due time."""
