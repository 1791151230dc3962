"""CronJobFlowBackfill: creates the flows of a CronJobFlow for times in the past, a few at a time.

`reconciler` is the only entry point. `progress` decides which times start, `decide` builds the Decision.
"""
