"""HTTP: one file per interaction. Every endpoint is a thin door to a service."""
