"""The gateway's small database, and the signing keys."""
