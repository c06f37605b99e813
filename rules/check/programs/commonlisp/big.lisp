(defvar *all* nil)
(loop (push (make-array 100000 :initial-element 1.5d0) *all*))
