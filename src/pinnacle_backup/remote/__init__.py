"""A studio on another machine, asked through its server's API: standard library only."""
