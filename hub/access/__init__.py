"""Who may call the hub, and whom the hub calls: tokens, logins, and calls to other servers."""
