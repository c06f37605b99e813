# attack: expect=exited:0 cells=2 layer=peer why=a client that says nothing has one cell, and nobody else's
from hostile import JURY, PROGRAM, Client, held, works

# Half of the cells are held by clients that never speak; the others go round as before.
silent = Client(PROGRAM)
for turn in range(3):
    for path in (PROGRAM, JURY):
        with Client(path) as other:
            works(other, f"silence, turn {turn}")
works(silent, "its own silence")
held()
