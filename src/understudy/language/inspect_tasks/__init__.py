"""What Inspect AI finds under the entry point `inspect_ai`: tasks and model providers."""
