: number ( -- n )
  bl word count over c@ [char] - = >r
  r@ if 1 /string then
  0. 2swap >number 2drop drop
  r> if negate then ;

create buffer 256 allot
variable length
variable place

: next-line ( -- flag ) buffer 254 stdin read-line throw swap length ! 0 place ! ;
: peek ( -- c ) place @ length @ < if buffer place @ + c@ else 0 then ;
: skip-spaces ( -- ) begin peek bl = while 1 place +! repeat ;
: next-int ( -- n )
  skip-spaces
  peek [char] - = dup if 1 place +! then >r
  0 begin peek [char] 0 - dup 0 10 within while
    swap 10 * + 1 place +!
  repeat drop
  r> if negate then ;

: main ( -- )
  next-line drop next-int 0 ?do
    next-line drop next-int next-int + 0 .r cr
  loop ;

main
