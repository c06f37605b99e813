(throw (IllegalStateException. "nobody catches this"))
