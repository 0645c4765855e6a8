"""The command line `activities`."""

from activities_client.cli.commands import main

__all__ = ["main"]
