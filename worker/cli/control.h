/* The zygote's end of the control socket: messages with descriptors. */
#ifndef RETORT_CLI_CONTROL_H
#define RETORT_CLI_CONTROL_H

#include "worker/zygote_protocol.h"

/* Sends event, with fd when that is not negative. -1: the other end is gone. */
int control_send(int control_fd, const struct zygote_event *event, int fd);
/*
 * Receives one request and its two descriptors (-1 where there is none), close-on-exec, which the
 * caller closes. 1: received, 0: closed by the other end, -1: error, nothing to close.
 */
int control_receive(int control_fd, struct zygote_request *request, int fds[2]);

#endif
