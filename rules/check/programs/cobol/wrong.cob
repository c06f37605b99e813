       IDENTIFICATION DIVISION.
       PROGRAM-ID. WRONG.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 LINE-IN  PIC X(80).
       01 N        PIC S9(9) BINARY.
       PROCEDURE DIVISION.
           ACCEPT LINE-IN.
           COMPUTE N = FUNCTION NUMVAL(LINE-IN).
           PERFORM N TIMES
               ACCEPT LINE-IN
               DISPLAY "7"
           END-PERFORM.
           STOP RUN.
