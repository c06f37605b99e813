program slow;
var
  n: longint;
begin
  n := 0;
  while true do
    n := (n + 1) and 1023;
end.
