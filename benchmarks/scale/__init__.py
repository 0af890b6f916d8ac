"""Scale on paper: what 10 thousand to 100 million orders a day need, and what breaks first."""
