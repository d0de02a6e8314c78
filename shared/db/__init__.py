"""PostgreSQL, the only system of record: engine, unit of work, row-level security, conventions, migrations."""
