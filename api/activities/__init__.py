"""/api/activities and /api/operations: create, read, list and change activities."""
