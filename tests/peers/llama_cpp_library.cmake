# Read by llama.cpp's own CMake file: the library alone, without the code that its command-line programs share.
set(LLAMA_BUILD_COMMON OFF)
