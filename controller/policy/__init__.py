"""What a scan of stored objects says about JobFlowPolicies: status, and reports per namespace. Pure."""
