(defvar *n* 0)
(loop (setf *n* (logand (1+ *n*) 1023)))
