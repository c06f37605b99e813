program sums
  implicit none
  integer :: n, i
  integer(8) :: a, b
  character(len=20) :: text
  read *, n
  do i = 1, n
    read *, a, b
    write (text, '(I0)') a + b
    print '(A)', trim(text)
  end do
end program sums
