"""Advisory locks: one transaction at a time where no row stands for what is written."""

from sqlalchemy import Text, bindparam, func, select

ADVISORY_LOCK = func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock", type_=Text), 0))
"""Waits until no other transaction holds the lock that the parameter `lock` names; held until the commit."""

ADVISORY_LOCK_STATEMENT = select(ADVISORY_LOCK)
