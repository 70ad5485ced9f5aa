"""When people speak: profiles of timing, drawing from them, learning them from recordings, and the statistics."""
