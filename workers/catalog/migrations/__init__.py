"""The schema of the catalog's database, step by step; old code runs on each new step."""
