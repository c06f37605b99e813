: main begin again ;

main
