"""`python -m pipeline`: the commands, for where the `leadscore` script of another checkout is first on the path."""

from pipeline.cli import app

if __name__ == "__main__":
    app()
