"""The command line: `wayfare`, or `python -m wayfare`. It needs the extra `cli`, and nothing else imports it."""
