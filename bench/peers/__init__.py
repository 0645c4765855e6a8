"""The same job done by what people would use instead, behind the same route, token and validation."""
