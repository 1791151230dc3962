"""The web pages: running flows, next steps, reasons for waiting, and buttons, with the rights of each user."""
