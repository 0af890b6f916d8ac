"""A lean stand-in for SQS and an SNS sink that must never be the slowest part of a measurement."""
