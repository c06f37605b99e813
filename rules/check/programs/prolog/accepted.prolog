main :-
    read_line(N),
    loop(N).

loop([N]) :- N =< 0, !.
loop([N]) :-
    read_line([A, B]),
    Sum is A + B,
    format("~w~n", [Sum]),
    N1 is N - 1,
    loop([N1]).

read_line(Numbers) :-
    read_line_to_string(user_input, Line),
    split_string(Line, " ", " ", Parts),
    maplist([Part, Number]>>number_string(Number, Part), Parts, Numbers).
