"""Volcano's CronJob: creates Jobs on a schedule. `reconciler` is the only door; the schedule engine is controller.schedule."""
