"""Where settings come from, one source per file; `Settings` knows their order.

Each source checks what it reads and returns it as `Layers`: values for all tasks, values for
single tasks, and stores.
"""
