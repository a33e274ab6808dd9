"""The remote Python executor: runs users' scripts in processes of their own."""
