with Ada.Integer_Text_IO, Ada.Text_IO, Ada.Long_Long_Integer_Text_IO;
use Ada.Long_Long_Integer_Text_IO;

procedure Sums is
   N    : Integer;
   A, B : Long_Long_Integer;
begin
   Ada.Integer_Text_IO.Get (N);
   for I in 1 .. N loop
      Get (A);
      Get (B);
      Put (A + B, Width => 0);
      Ada.Text_IO.New_Line;
   end loop;
end Sums;
