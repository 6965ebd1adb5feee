/* agent/base/banned.h - functions that must not be used; included before every source file.
 *
 * Each has a bounded or thread-safe relative that does the same.  Only what has no legitimate use
 * in this project is here.
 *
 * Layer: base.  Included by the Makefile, never by hand.
 */
#ifndef AGENT_BASE_BANNED_H
#define AGENT_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in some C libraries: a macro cannot be poisoned. */
#undef alloca
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof
#pragma GCC poison system popen mktemp tmpnam asctime ctime gmtime localtime alloca

#endif
