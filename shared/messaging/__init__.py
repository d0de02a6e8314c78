"""Events between services: outbox, relay, inbox, version guard, dead letters. The only place that knows NATS."""
