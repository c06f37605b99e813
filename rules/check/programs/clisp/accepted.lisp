(let ((n (read)))
  (dotimes (i n)
    (let ((a (read)) (b (read)))
      (format t "~D~%" (+ a b)))))
