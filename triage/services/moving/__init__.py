"""Out of this machine, into another one, and to other programs."""
