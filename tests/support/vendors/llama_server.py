# /// script
# requires-python = ">=3.11"
# dependencies = ["xllamacpp>=2026.10,<2027", "gguf>=0.19"]
# ///
"""A real llama server with a tiny model of random weights: prints its address, and ends with its standard input.

usage: llama_server.py FOLDER-OF-TINY-GGUF [calls]     calls: the model does nothing but call tools
"""

import sys
import tempfile
from pathlib import Path

import xllamacpp

sys.path.insert(0, sys.argv[1])
import tiny_gguf


def main() -> None:
    """Serves until end of file."""
    with tempfile.TemporaryDirectory(prefix="llama-") as folder:
        params = xllamacpp.CommonParams()
        says = [tiny_gguf.CALL] if "calls" in sys.argv[2:] else []
        params.model.path = str(tiny_gguf.write(Path(folder) / "tiny.gguf", says=says))
        params.model_alias = {"tiny"}
        params.n_ctx, params.n_parallel = 2048, 2
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.fit_params = False
        params.verbosity = 1
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = ["sk-made-up"]
        params.ui = False
        server = xllamacpp.Server(params)
        print(server.listening_address, flush=True)
        sys.stdin.read()
        del server


main()
