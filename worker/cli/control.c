#include "worker/cli/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 2

union fd_room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static void
attach_fd(struct msghdr *message, union fd_room *room, int fd)
{
    message->msg_control = room->bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(int));
}

int
control_send(int control_fd, const struct zygote_event *event, int fd)
{
    struct iovec part = {(void *)event, sizeof(*event)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union fd_room room = {0};
    ssize_t sent;

    if (fd >= 0)
        attach_fd(&message, &room, fd);
    do {
        sent = sendmsg(control_fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

/* The first two descriptors to fds; any others are closed, as nobody asked for them. */
static void
detach_fds(struct msghdr *message, int fds[2])
{
    int count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (count < FDS_MAX)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
}

int
control_receive(int control_fd, struct zygote_request *request, int fds[2])
{
    struct iovec part = {request, sizeof(*request)};
    union fd_room room = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = room.bytes,
                             .msg_controllen = sizeof(room.bytes)};
    ssize_t got;

    fds[0] = fds[1] = -1;
    do {
        got = recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        return (int)got;
    detach_fds(&message, fds);
    if (got != (ssize_t)sizeof(*request))
        *request = (struct zygote_request){0}; /* of no type: refused as unknown */
    return 1;
}
