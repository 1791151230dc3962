"""JobFlowPolicyException: reports in its status whether it is in effect. `reconciler` is the only entry point."""
