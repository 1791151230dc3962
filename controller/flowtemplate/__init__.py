"""JobFlowTemplate: reports in a condition whether flows can be created from it. `reconciler` is the only entry point."""
