main :-
    read_term_from_line([N]),
    forall(between(1, N, _),
           ( read_term_from_line([A, B]), X is A - B, print(X), nl )).

read_term_from_line(Numbers) :-
    read_line_to_codes(user_input, Codes),
    split_string(Codes, " ", " ", Parts),
    maplist([Part, Number]>>number_string(Number, Part), Parts, Numbers).
