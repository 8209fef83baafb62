"""Sources of documents: feeds, mail, papers.

A standalone library: it fetches politely, parses in sandboxed children and returns plain values.
It knows nothing of `triage`, of its database or of the ranker.
"""
