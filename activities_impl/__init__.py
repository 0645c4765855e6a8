"""The steps of workflows: one file for each abstract class in `workflows/activities.py`."""
