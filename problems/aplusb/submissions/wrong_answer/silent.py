# Reads, and says nothing.
input()
