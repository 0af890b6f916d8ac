"""Make what the deployables find in AWS: topics, queues, tables, databases, secrets, identities."""
