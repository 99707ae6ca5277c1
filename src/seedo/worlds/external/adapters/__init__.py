"""Systems that other packages simulate, each a file that imports nothing of Seedo."""
