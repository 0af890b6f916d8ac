"""`python -m console.screens`: serve the screens."""

from console.screens.app import main

if __name__ == "__main__":
    main()
