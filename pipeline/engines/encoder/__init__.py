"""Speaker encoders: a clip becomes a vector that tells people apart, or that a synthesizer speaks with."""
