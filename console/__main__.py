"""`python -m console`: the `comanda` command."""

from console.command import app

if __name__ == "__main__":
    app(prog_name="comanda")
