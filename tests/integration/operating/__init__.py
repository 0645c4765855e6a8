"""Tests of outages, deployments, reconciliation and Temporal's web UI on real servers."""
