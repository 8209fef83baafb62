"""The use cases: each orders core rules, the store, ingestors and the model, and returns dataclasses."""
