"""/api/activity-config: the rules of a tenant."""
