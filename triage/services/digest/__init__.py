"""The digest as it is handed out: its file, its pages, its mail, and what is worth an interruption."""
