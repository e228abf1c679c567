/*
 * A zygote without an engine, for tests of the worker's side: the test's own program, started
 * again. Its job processes do what the job's first argument says.
 */
#ifndef RETORT_TEST_FAKE_ZYGOTE_H
#define RETORT_TEST_FAKE_ZYGOTE_H

#include "common/err.h"
#include "worker/zygote.h"

/*
 * What the zygote does, by name:
 *
 *     good        forks job processes
 *     mute        ends with code 3 and says nothing
 *     failing     says FAILED: "no luck"
 *     denied      says FAILED as one does that a refused system call kills
 *     stranger    says READY in another version of the protocol
 *     refusing    READY, but every fork fails
 *     forgetful   good, but the first two FORKED come without their pidfds
 *     stillborn   READY, but its job processes end at once, saying why
 */
int fake_zygote_command(struct zygote_command *command, const char *mode, struct err *err);

/*
 * Call first in main(): when this process was started as a zygote it becomes one, and the call
 * does not return.
 *
 * Jobs: "exit N", "print TEXT", "sleep", "spin", "trap N", "signal N", "flood N" (N bytes of
 * two-byte characters), "silent" (exits without a note), "fail TEXT" (a failure of the host's),
 * "memory" (dies of a memory error).
 */
void fake_zygote_main(int argc, char **argv);

#endif
