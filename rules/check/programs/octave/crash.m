error("nobody catches this");
