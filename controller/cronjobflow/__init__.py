"""CronJobFlow: creates JobFlows on a schedule, from a JobFlowTemplate or from a flow written out.

`reconciler` is the only door; the schedule engine is controller.schedule.
"""
