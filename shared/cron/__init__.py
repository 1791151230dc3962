"""Schedules as text: cron expressions, time zones, and the times at which a schedule is due.

`grammar` reads the text, `zones` knows the time zones, `calendar` finds the due times. Everything here is pure: times are
whole seconds since 1970 (UTC), and nothing reads a clock. CronJob and CronJobFlow share it.
"""

from shared.cron.calendar import Timetable
from shared.cron.grammar import CronError, Expression, Interval, parse
from shared.cron.zones import ZoneError, zone

__all__ = ["CronError", "Expression", "Interval", "Timetable", "ZoneError", "parse", "zone"]
