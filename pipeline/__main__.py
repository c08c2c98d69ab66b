"""`python -m pipeline`: the commands, for where the `leadscore` script of another checkout is first on the path."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
