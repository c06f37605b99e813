with Ada.Integer_Text_IO, Ada.Text_IO;
use Ada.Integer_Text_IO;

procedure Wrong is
   N, A, B : Integer;
begin
   Get (N);
   for I in 1 .. N loop
      Get (A);
      Get (B);
      Put (A - B, Width => 0);
      Ada.Text_IO.New_Line;
   end loop;
end Wrong;
