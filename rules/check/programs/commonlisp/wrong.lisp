(defun main ()
  (loop repeat (read)
        do (format t "~D~%" (- (read) (read)))))
(main)
