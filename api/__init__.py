"""HTTP: routes, schemas, errors and who may do what."""
