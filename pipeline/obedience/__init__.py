"""Does a speech server obey what it is sent? Servers ignore fields without a word, and answer with sound all the same.

Reports of 2026: language (vllm-omni #4032), instructions (#3649) and seed (#6623) ignored, a recording answered with
the default voice (#2902). A corpus made that way has one voice where it claims thousands, and its retakes repeat
themselves. So before a job's first row, a few clips are asked for that differ in one thing each:

`asking` says which, `likeness` compares two clips, `judging` decides what was obeyed, `check` does it for a recipe.
"""
