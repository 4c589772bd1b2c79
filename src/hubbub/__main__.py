"""The command line as `python -m hubbub`."""

from hubbub.cli import main

if __name__ == "__main__":
    main()
