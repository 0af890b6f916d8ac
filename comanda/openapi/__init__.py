"""What every OpenAPI document of ours has: problems in one form, and an example of each body."""
