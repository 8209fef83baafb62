"""What the reader says, looks for and reads, and what is known of them by it."""
