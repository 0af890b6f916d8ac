"""The schema of the payments database, step by step; old code runs on each new step."""
