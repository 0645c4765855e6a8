"""The engine that finds what a request only describes: pure functions over loaded facts, each answer explained."""
