(let [n (Integer/parseInt (.trim (read-line)))]
  (dotimes [_ n]
    (let [[a b] (map #(Long/parseLong %) (.split (read-line) " "))]
      (println (+ a b)))))
