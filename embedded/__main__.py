"""Start the stack, the tests or a tool on a bare machine: `python3 -m embedded run`, `test`, `demo` and others."""

# This file must stay valid for old versions of Python: it prints which version is needed.

import sys

TOO_OLD = "Python 3.11 or newer is needed, this is %d.%d: install one, then e.g. make PYTHON=python3.13 run"

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this check is for older versions
        sys.exit(TOO_OLD % sys.version_info[:2])

    from embedded.bootstrap import main

    main(sys.argv[1:])
