"""The Job's life cycle as pure functions: `decide(JobObservation) -> Decision`."""
