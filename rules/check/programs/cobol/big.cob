       IDENTIFICATION DIVISION.
       PROGRAM-ID. BIG.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 MORE     USAGE POINTER.
       01 N        PIC S9(9) BINARY VALUE 0.
       PROCEDURE DIVISION.
           PERFORM UNTIL N < 0
               ALLOCATE 1000000 CHARACTERS INITIALIZED
                   RETURNING MORE
               IF MORE = NULL
                   STOP RUN RETURNING 1
               END-IF
           END-PERFORM.
           STOP RUN.
