"""The embedded runtime: real Postgres, NATS, S3, a front door and every function on one machine."""
