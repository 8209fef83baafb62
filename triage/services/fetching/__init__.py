"""From the network to stored items: sources, rounds of polling, full texts."""
