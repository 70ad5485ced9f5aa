"""Speaker encoders: turn a clip into a vector that tells people apart or conditions a synthesizer."""
