"""IAM on the laptop: a guard in front of all stand-ins, and the record of what was asked of it."""
