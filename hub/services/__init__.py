"""One file per step: accept, process, apply, decide, route, deliver, settle, queries.

The only callers of ``commit()``. Each effect is a row before it is a call.
"""
