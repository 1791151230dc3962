"""Rules of the kinds with schedules. `schedules` contains the rules that CronJob and CronJobFlow share."""
