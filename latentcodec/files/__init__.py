"""A file to another: what the command line, a pool of threads, Ray and Spark have in common."""
