"""Run our worker or our API without setting a tenant in each transaction: `python -m bench.unisolated worker`.

The tables need to be without row-level security. Their sessions have the benchmark's tenant, which some functions read.
"""

import runpy
import sys

from psycopg import AsyncCursor

from db import engine, sessions
from db.roles import TENANT_SETTING
from embedded.demo_ids import TENANT_ID

if __name__ == "__main__":
    # The connections that this process opens look these two up.
    vars(engine)["TenantCursor"] = AsyncCursor
    vars(sessions)["FIXED"] = {**sessions.FIXED, TENANT_SETTING: str(TENANT_ID)}
    runpy.run_module(sys.argv[1], run_name="__main__")
