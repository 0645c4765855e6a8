"""Import what the project's programs import, in the process that tests fork them from."""

import gc

import rich.table
import typer

import activities_client
import api.main
import embedded.development_key
import embedded.stack
import operate
import worker

IMPORTED = (activities_client, api.main, embedded, operate, rich.table, typer, worker)

gc.collect()
gc.freeze()
