"""The program's own health: settings, copies, checks, and the demo."""
