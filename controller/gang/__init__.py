"""Gang admission without a scheduler of our own (decisions row 24): what is free, who is next, what fits. Pure."""
