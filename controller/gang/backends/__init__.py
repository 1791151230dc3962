"""Who starts pods together: the answers that controller.gang_api asks for."""
