throw new IllegalStateException('nobody catches this')
