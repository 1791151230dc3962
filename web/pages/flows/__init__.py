"""The pages of JobFlows and their steps."""
