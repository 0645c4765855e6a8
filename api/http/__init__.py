"""The parts that all routes share: authentication, bodies, errors, pages, metrics."""
