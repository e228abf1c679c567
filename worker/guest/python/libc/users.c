/*
 * The user database: root, as whom the program sees itself, since nothing that it owns is refused
 * to it. Its home is where programs may write.
 */
#include "grp.h"
#include "pwd.h"

#include <stddef.h>
#include <string.h>

static struct passwd root_user = {
    .pw_name = "root",
    .pw_passwd = "x",
    .pw_gecos = "root",
    .pw_dir = "/work",
    .pw_shell = "/bin/sh",
};
static char *no_members[] = {NULL};
static struct group root_group = {.gr_name = "root", .gr_passwd = "x", .gr_mem = no_members};
static int users_read, groups_read;

struct passwd *
getpwuid(uid_t uid)
{
    return uid == root_user.pw_uid ? &root_user : NULL;
}

struct passwd *
getpwnam(const char *name)
{
    return strcmp(name, root_user.pw_name) == 0 ? &root_user : NULL;
}

void
setpwent(void)
{
    users_read = 0;
}

struct passwd *
getpwent(void)
{
    return users_read++ == 0 ? &root_user : NULL;
}

void
endpwent(void)
{
    users_read = 0;
}

struct group *
getgrgid(gid_t gid)
{
    return gid == root_group.gr_gid ? &root_group : NULL;
}

struct group *
getgrnam(const char *name)
{
    return strcmp(name, root_group.gr_name) == 0 ? &root_group : NULL;
}

void
setgrent(void)
{
    groups_read = 0;
}

struct group *
getgrent(void)
{
    return groups_read++ == 0 ? &root_group : NULL;
}

void
endgrent(void)
{
    groups_read = 0;
}
