#!/bin/sh
# Writes constraints.txt and docker/constraints-gpu.txt anew from pyproject.toml: every package that an installation may
# bring, direct or not, with its version and the hashes of its files. PyTorch is left out, since which build of it is
# right depends on the machine; the Makefile and the images install it first. Needs uv. Arguments: PyTorch's pin,
# resemblyzer's pin, then the extras, as the Makefile has them.
set -eu

torch=$1
resemblyzer=$2
extras=$(printf '%s' "$3" | tr ',' '\n' | sed 's/^/--extra /' | tr '\n' ' ')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$torch" >"$work/torch"
printf '%s\n' "$resemblyzer" >"$work/resemblyzer"
# What PyTorch's builds for GPUs bring with them; and of what resemblyzer asks for, a webrtcvad that must be compiled
# (the extra `voicebank` brings the same in a wheel) and a backport that is of no use since Python 3.5.
cat >"$work/excluded" <<END
cuda-bindings
cuda-toolkit
nvidia-cudnn-cu13
nvidia-cusparselt-cu13
nvidia-nccl-cu13
nvidia-nvshmem-cu13
triton
typing
webrtcvad
END

lock() {
    # shellcheck disable=SC2086  # a list of words
    uv pip compile pyproject.toml "$work/resemblyzer" $extras $2 --universal --python-version 3.11 --generate-hashes \
        --constraint "$work/torch" --excludes "$work/excluded" --no-emit-package torch --no-annotate \
        --custom-compile-command "make lock" --quiet --output-file "$1"
}

rm -f constraints.txt docker/constraints-gpu.txt
lock constraints.txt ""
lock docker/constraints-gpu.txt "--extra gpu"
