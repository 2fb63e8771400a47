# Sourced, not run: makes target/venv with the pinned PyTorch, once, and says to cargo where libtorch is.
# After it `cargo build`, `cargo clippy` and `cargo test` work in this folder.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$here/target/venv"

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    python3 -m venv --clear "$venv"
    # The wheel without CUDA is a tenth of the size, where its index can be reached.
    without_cuda=(--index-url https://download.pytorch.org/whl/cpu --retries 0 --timeout 20)
    "$venv/bin/pip" install --quiet "${without_cuda[@]}" -r "$here/requirements.txt" 2> /dev/null ||
        "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi

export PATH="$venv/bin:$PATH"
# Any value means yes; this one is another where the bindings are to be compiled anew.
export LIBTORCH_USE_PYTORCH="$venv $(tail -n 1 "$here/requirements.txt")"
# tch 0.26 was made for PyTorch 2.13. It compiles against 2.15 as C++20, and with stand-ins for four
# functions that are gone.
export LIBTORCH_BYPASS_VERSION_CHECK=1
export CXXFLAGS="-std=c++20 -include $here/src/torch/removed.h"
