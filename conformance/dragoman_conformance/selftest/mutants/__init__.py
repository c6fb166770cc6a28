"""The planted bugs: one module for each family, named as the suite that is to catch them."""
