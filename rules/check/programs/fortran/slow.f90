program slow
  implicit none
  integer, volatile :: n
  n = 0
  do
    n = mod(n + 1, 1024)
  end do
end program slow
