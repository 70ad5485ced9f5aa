"""The programs that read exports, each in an environment of its own. See `tests.peers.environments`."""
