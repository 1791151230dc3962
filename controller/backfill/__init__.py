"""CronJobFlowBackfill: creates the flows of a CronJobFlow for times in the past, a few at a time.

`reconciler` is the only door. `progress` decides which times start, `decide` makes that a Decision.
"""
