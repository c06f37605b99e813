program big;
var
  more: pointer;
begin
  while true do
  begin
    getmem(more, 1 shl 20);
    fillchar(more^, 1 shl 20, 1);
  end;
end.
