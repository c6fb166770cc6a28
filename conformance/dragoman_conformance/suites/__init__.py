"""The suites: one module of scenarios for each family of requirements."""
