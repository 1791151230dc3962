"""What the pages of JobFlows show. Pure."""
