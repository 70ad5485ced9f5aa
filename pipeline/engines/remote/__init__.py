"""What all engines behind an HTTP server share, whatever the server is asked for. The way of one request:

1. An engine calls `AsyncBridge.run` (`async_bridge`) with a list of requests; its event loop answers them side by
   side.
2. For each, the engine calls `ServerClient.ask` (`client`), with a function that composes the HTTP request.
3. `ServerClient.retry` repeats the attempt by the rules of `Attempts` and `BackoffPolicy`.
4. `ServerClient.send` waits until the `Limiter` (`limiter`) lets the request through, then composes and posts it.
5. The body is read by the engine's function: `read_clip` (`clip`), `read_transcript` (`transcript`),
   `read_completion`.
6. An HTTP error is classified (`error_kinds`): it is tried again, ends the one request as a `Failure`, or the engine.
   What a message quotes of the server goes through `redact` first.

Before the first request, `endpoint` finds the server's address and key, and its `Preflight` checks that it is there.
"""
