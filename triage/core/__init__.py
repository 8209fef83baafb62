"""Plain values and pure functions: what the program is about, without any library or I/O."""
