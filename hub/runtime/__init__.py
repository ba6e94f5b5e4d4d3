"""Settings, wiring and what is found at run time."""
