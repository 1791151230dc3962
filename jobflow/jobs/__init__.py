"""What a Job runs: containers, tasks, plugins and the frameworks of distributed training."""
