"""Schedules: one pure engine for CronJob and CronJobFlow, and the reconcilers that drive it.

`observed` defines what the engine sees of a schedule, `due_times` which times are due, `decide` what follows.
"""
