"""Starts the stack or the tests on a bare machine: `python3 -m embedded run`, `test`, `check`, `demo`, `token`."""

# Written so that a Python too old for everything else still understands it and can say so.

import sys

TOO_OLD = "Python 3.11 or newer is needed, this is %d.%d: install one, then e.g. make PYTHON=python3.13 run"

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the place that finds out
        sys.exit(TOO_OLD % sys.version_info[:2])

    from embedded.bootstrap import main

    main(sys.argv[1:])
