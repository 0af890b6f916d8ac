"""The same two functions as they are usually written; the benchmark puts them beside ours."""
