"""Reports: one document of what was found, and the forms in which people and programs read it."""
