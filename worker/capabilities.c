#include "worker/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Beyond the last of any kernel; the end is where the kernel knows no more. */
#define CAPABILITIES_MAX 64
#define SECURE_BITS                                                                                \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                               \
     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |       \
     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int
empty_bounding_set(void)
{
    for (unsigned long capability = 0; capability < CAPABILITIES_MAX; capability++) {
        int held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0)
            return 0;
        if (held > 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return -1;
    }
    return 0;
}

const char *
capabilities_limit(void)
{
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return "emptying the ambient set";
    if (empty_bounding_set() < 0)
        return "emptying the bounding set";
    if (prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) < 0)
        return "locking the secure bits";
    return NULL;
}

int
capabilities_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};

    return (int)syscall(SYS_capset, &header, none);
}
