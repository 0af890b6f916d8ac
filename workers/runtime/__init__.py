"""The consumer: receive, dispatch, inbox, outbox, visibility, lifecycle; it knows no context."""
