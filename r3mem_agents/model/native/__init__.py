"""The frozen networks in the engine, which is written in C (``engine``): what memories run on."""
