all <- list()
while (TRUE) all[[length(all) + 1]] <- rep(1.5, 100000)
