create buffer 256 allot

: main ( -- )
  begin buffer 254 stdin read-line throw nip while ." 7" cr repeat ;

main
