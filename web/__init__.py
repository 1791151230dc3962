"""The web pages: what runs, what comes next, why it waits, and the buttons to act, with the rights of whoever looks."""
