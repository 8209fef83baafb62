"""The terminal interface. It knows `triage.core` and its own `Backend` protocol, nothing else."""
