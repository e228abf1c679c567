/*
 * POSIX functions that wasi-libc lacks and libguest.a has. pyconfig.h ends by including this, so
 * that CPython finds them declared as it would on Linux.
 */
#ifndef GUEST_POSIX_H
#define GUEST_POSIX_H

#include <fcntl.h>
#include <itimer.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Owners and permissions: remembered, shown and not enforced, as for root (ownership.c). */
int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
int fchmodat(int dirfd, const char *path, mode_t mode, int flags);
int chown(const char *path, uid_t uid, gid_t gid);
int lchown(const char *path, uid_t uid, gid_t gid);
int fchown(int fd, uid_t uid, gid_t gid);
int fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags);
mode_t umask(mode_t mask);

/* One user, one process (process.c). */
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getgroups(int size, gid_t *list);
pid_t getppid(void);
int kill(pid_t pid, int sig);

/* A descriptor more for a directory; ENOTSUP for anything else (descriptors.c). */
int dup(int fd);
#undef F_DUPFD_CLOEXEC

/* Locks of fcntl(): granted at once (descriptors.c). */
#define F_GETLK  5
#define F_SETLK  6
#define F_SETLKW 7
#define F_RDLCK  0
#define F_WRLCK  1
#define F_UNLCK  2
int lockf(int fd, int operation, off_t size);

/* Time zones, of TZ and /usr/share/zoneinfo: musl's own (steps/deps.sh). */
extern char *tzname[2];
extern long timezone;
extern int daylight;
void tzset(void);

/* No descriptor is a terminal. */
struct winsize {
    unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};
#define TIOCGWINSZ 0x5413

#endif
