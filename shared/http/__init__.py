"""HTTP as every service speaks it: problems, paging, ETags, idempotency, limits, health, metrics."""
