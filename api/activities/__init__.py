"""/api/activities: create, read, change, list."""
