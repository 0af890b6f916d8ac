"""A collector for a laptop: takes OTLP over HTTP, keeps each span as one line of JSON."""
