let () =
  for _ = 1 to Scanf.scanf " %d" Fun.id do
    Scanf.scanf " %d %d" (fun a b -> Printf.printf "%d\n" (a - b))
  done
