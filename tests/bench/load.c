/*
 * load [--header LINE] PORT CLIENTS REQUESTS BODY-FILE EXPECTED [PERIOD_US]: CLIENTS connections to
 * 127.0.0.1, each sending its next request when the last is answered, until REQUESTS are answered.
 * REQUESTS equal to CLIENTS is a burst: all are sent at once, on connections made before, and count
 * from the first send. With PERIOD_US one request is due every so often, and counts from when it
 * was due: what had to wait for an earlier answer is not left out.
 *
 * All answers are in the figures; those that were good, and those that were refused (429, 503),
 * have figures of their own too, and 504 is counted.
 *
 * One thread and poll(): on a machine of few cores a load generator must not
 * be what is measured. An answer without the text EXPECTED in it is an error.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/samples.h"

#define ANSWER_BYTES 65536
#define PATIENCE_US  30000000u

struct client {
    uint64_t began_us;
    size_t received;
    char answer[ANSWER_BYTES];
};

struct load {
    struct samples samples, good, refused;
    uint64_t timed_out;
    struct client *clients;
    struct pollfd *polls;
    size_t count, total, sent;
    const char *header; /* one more, "Name: value"; NULL: none */
    uint64_t period_us; /* 0: the next request follows the answer */
    char *request;
    size_t request_bytes;
    const char *expected;
};

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static void
make_request(struct load *load, const char *body_file)
{
    static char body[ANSWER_BYTES];
    FILE *file = fopen(body_file, "re");
    if (!file)
        die(body_file);
    size_t size = fread(body, 1, sizeof(body), file);
    fclose(file);
    int bytes = asprintf(&load->request,
                         "POST /v1/execute HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         "%s%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                         load->header ? load->header : "", load->header ? "\r\n" : "", size,
                         (int)size, body);
    if (bytes < 0)
        die("request");
    load->request_bytes = (size_t)bytes;
}

static int
connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* When the next request is to be sent. */
static uint64_t
due_us(const struct load *load)
{
    return load->samples.began_us + load->sent * load->period_us;
}

static void
send_next(struct load *load, size_t index)
{
    struct client *client = &load->clients[index];
    if (load->period_us > 0)
        client->began_us = due_us(load);
    else
        client->began_us = load->count == load->total ? load->samples.began_us : samples_clock_us();
    client->received = 0;
    load->sent++;
    load->polls[index].events = POLLIN;
    if (send(load->polls[index].fd, load->request, load->request_bytes, MSG_NOSIGNAL) !=
        (ssize_t)load->request_bytes)
        die("send");
}

/* Whether the answer is whole: head, and as much body as Content-Length says. */
static bool
is_whole(struct client *client)
{
    client->answer[client->received] = '\0';
    const char *end = strstr(client->answer, "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strcasestr(client->answer, "\r\nContent-Length:");
    if (!length || length > end)
        die("answer without Content-Length");
    size_t body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    return client->received >= (size_t)(end + 4 - client->answer) + body;
}

static void
take_answer(struct load *load, const struct client *client)
{
    uint64_t us = samples_clock_us() - client->began_us;
    unsigned long status = strtoul(client->answer + strlen("HTTP/1.1 "), NULL, 10);
    samples_add(&load->samples, us);
    if (strstr(client->answer, load->expected)) {
        samples_add(&load->good, us);
        return;
    }
    load->samples.errors++;
    if (status == 429 || status == 503)
        samples_add(&load->refused, us);
    load->timed_out += status == 504;
}

static void
receive(struct load *load, size_t index)
{
    struct client *client = &load->clients[index];
    ssize_t got = recv(load->polls[index].fd, client->answer + client->received,
                       ANSWER_BYTES - 1 - client->received, 0);
    if (got <= 0)
        die("recv");
    client->received += (size_t)got;
    if (!is_whole(client))
        return;
    take_answer(load, client);
    load->polls[index].events = 0;
    if (load->period_us == 0 && load->sent < load->total)
        send_next(load, index);
}

/* Sends what is due, as far as there are clients that wait for nothing. How long until more is, in
 * us. */
static uint64_t
send_due(struct load *load)
{
    for (size_t i = 0; i < load->count && load->sent < load->total; i++) {
        uint64_t now_us = samples_clock_us();
        if (now_us < due_us(load))
            return due_us(load) - now_us;
        if (load->polls[i].events == 0)
            send_next(load, i);
    }
    return PATIENCE_US;
}

static void
run(struct load *load)
{
    for (size_t i = 0; load->period_us == 0 && i < load->count; i++)
        send_next(load, i);
    while (load->samples.count < load->total) {
        uint64_t wait_us = load->period_us > 0 ? send_due(load) : PATIENCE_US;
        struct timespec wait = {.tv_sec = (time_t)(wait_us / 1000000),
                                .tv_nsec = (long)(wait_us % 1000000) * 1000};
        if (ppoll(load->polls, load->count, &wait, NULL) <= 0 && wait_us == PATIENCE_US)
            die("poll");
        for (size_t i = 0; i < load->count; i++)
            if (load->polls[i].revents)
                receive(load, i);
    }
}

static void
print_kind(FILE *out, const char *name, struct samples *samples, const struct samples *all)
{
    double seconds = (double)(all->ended_us - all->began_us) / 1e6;
    samples_sort(samples);
    fprintf(out,
            ",\"%s\":{\"count\":%zu,\"per_second\":%.2f,\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64
            ",\"max_us\":%" PRIu64 "}",
            name, samples->count, seconds > 0 ? (double)samples->count / seconds : 0.0,
            samples_quantile(samples, 50), samples_quantile(samples, 99),
            samples_quantile(samples, 100));
}

static void
print_all(struct load *load)
{
    char extra[1024] = "";
    FILE *out = fmemopen(extra, sizeof(extra), "w");
    if (!out)
        die("fmemopen");
    print_kind(out, "good", &load->good, &load->samples);
    print_kind(out, "refused", &load->refused, &load->samples);
    fprintf(out, ",\"timed_out\":%" PRIu64, load->timed_out);
    fclose(out);
    samples_print(&load->samples, extra);
}

int
main(int argc, char **argv)
{
    const char *header = NULL;
    if (argc > 2 && strcmp(argv[1], "--header") == 0) {
        header = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: load [--header LINE] PORT CLIENTS REQUESTS BODY-FILE EXPECTED "
                        "[PERIOD_US]\n");
        return 2;
    }
    struct load load = {.count = strtoul(argv[2], NULL, 10),
                        .total = strtoul(argv[3], NULL, 10),
                        .period_us = argc > 6 ? strtoul(argv[6], NULL, 10) : 0,
                        .expected = argv[5],
                        .header = header};
    load.clients = calloc(load.count, sizeof(*load.clients));
    load.polls = calloc(load.count, sizeof(*load.polls));
    if (!load.clients || !load.polls || load.count > load.total)
        die("clients");
    make_request(&load, argv[4]);
    for (size_t i = 0; i < load.count; i++)
        load.polls[i] = (struct pollfd){.fd = connect_to((uint16_t)strtoul(argv[1], NULL, 10))};
    samples_init(&load.good, load.total);
    samples_init(&load.refused, load.total);
    samples_init(&load.samples, load.total);
    run(&load);
    print_all(&load);
    for (size_t i = 0; i < load.count; i++)
        close(load.polls[i].fd);
    samples_fini(&load.samples);
    samples_fini(&load.good);
    samples_fini(&load.refused);
    free(load.request);
    free(load.polls);
    free(load.clients);
    return 0;
}
