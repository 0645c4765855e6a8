"""/api/commerces: a tenant's commerces, their users, contacts and contact log."""
