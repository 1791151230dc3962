"""Who starts pods together: the answers that controller.job.gang_api asks for."""
