main :- atom_length(_, _).
