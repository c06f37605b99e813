program crash
  error stop 'nobody catches this'
end program crash
