"""What leaves the program: films, pictures, tables and scripts of an experiment."""
