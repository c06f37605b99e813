BEGIN { while (1) all[n++] = sprintf("%1000d", n) }
