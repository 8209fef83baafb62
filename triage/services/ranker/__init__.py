"""From stored items to an order with reasons: the model worker, its two ends and what runs in it."""
