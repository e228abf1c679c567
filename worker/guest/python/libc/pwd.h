/* The one user of the guest (users.c). */
#ifndef GUEST_PWD_H
#define GUEST_PWD_H

#include <sys/types.h>

struct passwd {
    char *pw_name, *pw_passwd;
    uid_t pw_uid;
    gid_t pw_gid;
    char *pw_gecos, *pw_dir, *pw_shell;
};

struct passwd *getpwuid(uid_t uid);
struct passwd *getpwnam(const char *name);
void setpwent(void);
struct passwd *getpwent(void);
void endpwent(void);

#endif
