"""The chat platforms, one folder each, loaded by the name found in the configuration."""
