/* agent/base/trim.h - give back the program text that only the start needed.
 *
 * A process that was started a moment ago holds the pages of its libraries that the dynamic linker
 * and their initialisation went through, most of them never to be used again.  They are the page
 * cache's, but count as this process's memory, and are its to give back.
 *
 * Layer: base.  For the start of the processes that do not lock their memory; the engine keeps all.
 */
#ifndef AGENT_BASE_TRIM_H
#define AGENT_BASE_TRIM_H

/* What is needed again comes back by itself.  Blocks on /proc; without it nothing happens. */
void yoke_trim(void);

#endif
