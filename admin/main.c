/*
 * retort-admin: what an operator sees of the queue and does to it. Wiring only: settings, one
 * connection to Redis, one command, its report.
 *
 * Ends with 0; 1 when the command failed, 2 on bad usage, 3 when Redis cannot be reached, which is
 * known within seconds. A reader that closes the pipe early is no failure.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "admin/options.h"
#include "admin/printable.h"
#include "common/languages.h"
#include "common/log.h"
#include "common/version.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_REDIS = 3 };

static void
print_help(void)
{
    printf("retort-admin: what is in the queue, and what to do about it.\n\n"
           "usage: retort-admin [COMMAND] [--json] [--NAME=VALUE]...\n\n");
    command_print_help(stdout);
    printf("\n  --json     for programs\n"
           "  --help     print this\n"
           "  --version  print the version\n\n"
           "Ends with 0, 1: it failed, 2: bad usage, 3: Redis cannot be reached.\n\n"
           "Settings, as flags or in the environment:\n\n");
    config_print_help(CONFIG_ADMIN, stdout);
}

static bool
wants(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], option) == 0)
            return true;
    }
    return false;
}

/* Sentences may quote what Redis said. */
static void
complain(const struct err *err)
{
    fputs("retort-admin: ", stderr);
    printable_put(stderr, err->text, strlen(err->text), false);
    fputc('\n', stderr);
}

/* Whether all was written; a reader that went away has seen what it wanted. */
static bool
flush(void)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE;
}

static int
run(const struct command_row *row, struct command *command, struct err *err)
{
    int result = session_open(command->session, command->config, err);

    if (result < 0)
        return err->code == ERR_CONFIG ? EXIT_USAGE : EXIT_NO_REDIS;
    result = row->run(command, err);
    if (command->session->down)
        return EXIT_NO_REDIS;
    if (result == 0 && report_failed(command->report))
        result = err_set(err, ERR_SYSTEM, ENOMEM, "writing the report");
    if (!report_failed(command->report))
        report_print(command->report, command->options->json, stdout);
    if (!flush() && result == 0)
        result = err_set(err, ERR_SYSTEM, errno, "standard output");
    return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int
parse(const struct command_row **row, struct command_options *options, struct config *config,
      int argc, char **argv, struct err *err)
{
    struct languages languages;

    if (config_init(config, CONFIG_ADMIN, err) < 0 ||
        options_parse(row, options, config, argc, argv, err) < 0)
        return -1;
    return languages_parse(&languages, config->languages, err);
}

int
main(int argc, char **argv)
{
    struct config config = {0};
    struct session session = {.base = NULL};
    struct command_options options;
    struct command command = {.session = &session, .config = &config, .options = &options};
    const struct command_row *row;
    struct err err = ERR_INIT;
    int status = EXIT_USAGE;

    (void)signal(SIGPIPE, SIG_IGN);
    log_init("retort-admin", LOG_ERROR);
    if (wants(argc, argv, "--help") || wants(argc, argv, "--version")) {
        if (wants(argc, argv, "--help"))
            print_help();
        else
            puts("retort-admin " RETORT_VERSION);
        return flush() ? EXIT_DONE : EXIT_FAILED;
    }
    if (parse(&row, &options, &config, argc, argv, &err) == 0) {
        command.report = report_new();
        status = command.report ? run(row, &command, &err) : EXIT_FAILED;
    }
    if (status != EXIT_DONE)
        complain(&err);
    report_free(command.report);
    session_close(&session);
    config_fini(&config);
    return status;
}
