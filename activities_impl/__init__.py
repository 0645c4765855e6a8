"""The outside: implements the contract in `workflows/activities.py`, one class per thing we talk to."""
