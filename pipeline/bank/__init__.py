"""The voice bank's work: building it on Ray from recordings, blending, checking. What needs no engine is `voicebank`."""
