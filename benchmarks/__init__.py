"""Speed, always side by side with something else."""
