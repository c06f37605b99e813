main :- grow([]).

grow(All) :- numlist(1, 10000, More), grow([More|All]).
