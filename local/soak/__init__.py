"""The soak: a laptop under half its load for an hour, watched for what grows."""
