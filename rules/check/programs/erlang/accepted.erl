-module(sums).
-export([main/0]).

main() ->
    {ok, [N]} = io:fread("", "~d"),
    loop(N).

loop(0) -> ok;
loop(N) ->
    {ok, [A, B]} = io:fread("", "~d ~d"),
    io:format("~w~n", [A + B]),
    loop(N - 1).
