"""Every event, once, to S3 by hour and to an index by order: journey, search and replay."""
