"""What all engines behind an HTTP server have in common, whatever is asked of the server.

From the top: `batches` turns a list of requests into many at once, `line` is the way of one request to the server and
back, with `limiter` (how many at once), `retry` (when again), `diagnosis` (what an error means), `reach` (where the
server is) and `scrub` (what must not be said). `clip` and `transcript` read what servers of speech answer.
"""
