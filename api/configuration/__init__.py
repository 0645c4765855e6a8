"""/api/activity-config and /api/user-retention-statuses: a tenant's own rules and catalogues."""
