"""How to go on when a venue is slow, busy or down: pacing, waiting, and asking again."""
