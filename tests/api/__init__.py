"""The HTTP interface, on a real hub: SQLite in a temporary folder, every adapter and printer."""
