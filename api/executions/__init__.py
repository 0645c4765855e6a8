"""/api/executions and /api/activity-results: hand activities out, take their results."""
