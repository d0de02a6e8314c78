"""The embedded stack: PostgreSQL, nats-server, the services and their workers on one machine without containers."""
