"""Rules of schedules: CronJob here; what CronJobFlow shares with it stands in `schedules`."""
