"""The contents of Jobs: containers, tasks, plugins and the frameworks of distributed training."""
