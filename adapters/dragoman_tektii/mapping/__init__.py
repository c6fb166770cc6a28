"""What Tektii's words and messages mean: plain functions and tables, without I/O."""
