"""The domain: the words, the messages, the contract with the outside, and the story. No I/O, no clock, no settings."""
