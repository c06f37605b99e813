program big
  implicit none
  type :: block
    integer, allocatable :: words(:)
  end type block
  type(block) :: all(100000)
  integer :: i
  do i = 1, 100000
    allocate (all(i)%words(200000))
    all(i)%words = i
  end do
  print *, all(7)%words(7)
end program big
