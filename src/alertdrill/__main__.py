"""`python -m alertdrill` is the command `alertdrill`."""

from alertdrill.cli import main

if __name__ == "__main__":
    main()
