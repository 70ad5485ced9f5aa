"""Language models served on this machine: llama.cpp's own server, as a process beside the command that needs it.

=================  =================================================================================================
llama_cpp          starts the server of a GGUF file, waits until it answers, ends it
llama_cpp_process  the program of that process
=================  =================================================================================================

The server is an ordinary one of the OpenAI chat kind: whoever asks it knows nothing of this room.
"""
