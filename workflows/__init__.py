"""The domain: enumerations, messages, the contract of all steps, and the workflows. No I/O, no clock, no settings."""
