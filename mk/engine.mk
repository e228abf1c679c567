# The engine: python.wasm, native code, images.
