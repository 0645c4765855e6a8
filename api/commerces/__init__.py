"""/api/commerces: stores, their users, and the log of contacts with them."""
