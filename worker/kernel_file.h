/* Files by which the kernel is told something: of /proc, of control groups. */
#ifndef RETORT_KERNEL_FILE_H
#define RETORT_KERNEL_FILE_H

/*
 * Writes the text to a file that is there, in one write, which is how the kernel takes such a text
 * or refuses it. directory_fd as for openat(). -1: errno. Async-signal-safe: also for after a fork.
 */
int kernel_file_write(int directory_fd, const char *path, const char *text);

#endif
