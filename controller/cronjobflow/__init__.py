"""CronJobFlow: creates JobFlows on a schedule, from a JobFlowTemplate or from an inline flow. `reconciler` is the only
entry point; controller.schedule decides which runs are due.
"""
