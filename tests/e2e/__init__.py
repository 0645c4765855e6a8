"""Operating in a real browser: `make e2e`, which needs a Chromium on the PATH or in CHROMIUM_PATH."""
