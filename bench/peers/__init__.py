"""Create activities with other frameworks, behind the same route, token and validation."""
