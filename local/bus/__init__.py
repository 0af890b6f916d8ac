"""SNS and SQS on the laptop: one small server that keeps what it acknowledged."""
