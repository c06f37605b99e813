(dotimes [_ (Integer/parseInt (.trim (read-line)))]
  (println (apply - (map #(Long/parseLong %) (.split (read-line) " ")))))
