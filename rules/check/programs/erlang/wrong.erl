% Not called like its file either.
-module(wrong_answer).
-export([main/0]).

main() ->
    {ok, [N]} = io:fread("", "~d"),
    [begin
         {ok, [A, B]} = io:fread("", "~d ~d"),
         io:format("~w~n", [A - B])
     end || _ <- lists:seq(1, N)].
