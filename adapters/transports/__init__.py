"""Ways to move bytes. None of them knows what is in them."""
