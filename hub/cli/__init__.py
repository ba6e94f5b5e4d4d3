"""The command line, one file per command; each module is imported when its command runs."""
