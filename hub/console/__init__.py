"""The operator's web pages, rendered on the server in Danish and English."""
