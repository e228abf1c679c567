/* Starting a zygote's process. */
#ifndef RETORT_ZYGOTE_SPAWN_H
#define RETORT_ZYGOTE_SPAWN_H

#include <sys/types.h>

#include "common/err.h"
#include "worker/cgroup.h"
#include "worker/zygote.h"

/*
 * Clones the process, with the namespaces that only a clone can give; stage.h has what it does
 * until it becomes its program, in that control group if there is one. It gets its end of a new
 * control socket as descriptor 3 and its tree as 4, its environment and no more, and our standard
 * error. Returns our end, which does not block; *pid is then ours to wait for.
 */
int zygote_spawn(const struct zygote_command *command, const struct cgroup *cgroup, pid_t *pid,
                 struct err *err);
/* Does this program need a loader's files to start? Yes, too, if it cannot be read. */
bool zygote_program_has_interpreter(const char *program);

#endif
