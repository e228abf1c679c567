/* Capabilities of this process; by system calls alone, for use between clone and exec. */
#ifndef RETORT_CAPABILITIES_H
#define RETORT_CAPABILITIES_H

/*
 * Empties the bounding and the ambient set and locks the secure bits, so that no program and no
 * change of user gives any capability. Returns NULL, or with errno what failed.
 */
const char *capabilities_limit(void);
/* Empties the permitted, effective and inheritable sets. */
int capabilities_drop(void);

#endif
