-module(crash).
-export([main/0]).

main() -> error(nobody_catches_this).
