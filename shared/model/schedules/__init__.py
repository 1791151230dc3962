"""Kinds that run Jobs and JobFlows on a schedule, and templates of JobFlows."""
