"""The ranker: passages, their vectors, attention pooling, scores, highlights.

A standalone library over plain values and numpy arrays. It knows nothing of `triage`, of its
database or of where documents come from.
"""
