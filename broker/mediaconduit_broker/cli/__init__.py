"""The command line. `__main__` alone reads the environment."""
