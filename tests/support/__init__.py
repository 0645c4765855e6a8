"""Builders, servers and steps that several tests share."""
