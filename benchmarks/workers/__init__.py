"""SQS consumers side by side: `python -m benchmarks.workers`."""
