"""Work on voice banks that needs engines or Ray: building, probing. What needs neither is in `voicebank`."""
