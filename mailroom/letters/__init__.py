"""How a letter reads, and how it becomes bytes."""
