/* The one group of the guest (users.c). */
#ifndef GUEST_GRP_H
#define GUEST_GRP_H

#include <sys/types.h>

struct group {
    char *gr_name, *gr_passwd;
    gid_t gr_gid;
    char **gr_mem;
};

struct group *getgrgid(gid_t gid);
struct group *getgrnam(const char *name);
void setgrent(void);
struct group *getgrent(void);
void endgrent(void);

#endif
