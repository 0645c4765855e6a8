"""The clients of the API, generated from `docs/openapi.json`, and the tools that judge the document."""
