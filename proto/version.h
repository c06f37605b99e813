/*
 * version.h - the release, as every program's --version says it.
 */
#ifndef VERSION_H
#define VERSION_H

#define GAVEL_VERSION "0.1.0"

#endif
