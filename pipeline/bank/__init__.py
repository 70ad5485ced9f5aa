"""Builds and probes voice banks with engines and Ray. Code that needs neither is in `voicebank`."""
