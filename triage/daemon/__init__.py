"""Background operation: one process that runs the services on a schedule."""
