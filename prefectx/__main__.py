"""`python -m prefectx`: the command `prefectx`."""

from prefectx.cli import main

if __name__ == "__main__":
    main()
