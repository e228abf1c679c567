"""Ahead-of-time compiler: WebAssembly module -> wasm2c -> rewritten C -> gcc -> image.

    wasm.py          reads the module: imports, types, tables, data
    wasm2c.py        runs wabt's wasm2c and takes its output apart
    passes/          rewrite the functions, one step to a file, each a switch
    emit.py          writes the C units, the tables and the data blob
    compiler.py      runs gcc, with a cache of objects by content
    training.py      profile-guided optimization: instrumented build, training run
    tree.py          the image's file tree
    image.py         puts program, tree and image.json in place
    cli.py           options, and the order of the above
"""
