"""Run the command line without its script: `python -m activities_client.cli`."""

from activities_client.cli.commands import main

main()
