"""A daily digest of feeds, mail and papers that learns what its reader cares about."""

__version__ = "0.1.0"
