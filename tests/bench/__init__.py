"""How fast the hub is beside a bare loop of the same writes, and how much SQL each act takes."""
