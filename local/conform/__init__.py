"""Hold the running laptop to its own OpenAPI document with schemathesis, from outside."""
