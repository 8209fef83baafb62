"""The parsers of untrusted bytes. They run in a child process only: see `ingestors.sandbox`.

Nothing outside this package imports a module of it; each one is named by its import path. This is
the one place where feedparser, lxml and mail-parser are imported.
"""
