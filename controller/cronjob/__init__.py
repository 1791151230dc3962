"""Volcano's CronJob: creates Jobs on a schedule.

`reconciler` is the only entry point; controller.schedule decides which runs are due.
"""
