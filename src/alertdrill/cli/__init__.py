"""The command line: thin, and quick to start because every command imports what it needs itself."""

from alertdrill.cli.app import main

__all__ = ["main"]
