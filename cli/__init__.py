"""`yinuo`: the desk from a terminal. One file, or folder, a group of commands."""
