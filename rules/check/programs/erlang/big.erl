-module(big).
-export([main/0]).

main() -> loop([]).

loop(All) -> loop([lists:seq(1, 10000) | All]).
