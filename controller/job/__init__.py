"""The Job controller. `reconciler` is its only entry point; `decide.job.decide` is the pure decision."""
