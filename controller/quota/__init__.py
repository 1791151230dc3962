"""Quotas of JobFlowPolicies, as the controllers of JobFlows and Jobs keep them."""
