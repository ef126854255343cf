"""The arguments of calls: signatures, traversal, references, marks, fingerprints."""
