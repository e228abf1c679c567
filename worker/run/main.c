/*
 * retort-run: one program in the sandbox, from the command line.
 *
 * Everything that the program may see is copied into records first, then a zygote is started,
 * forks one job process, and goes away with us: it dies when its control socket closes.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file_name.h"
#include "worker/engine_choice.h"
#include "worker/image.h"
#include "worker/run/input.h"
#include "worker/run/options.h"
#include "worker/run/outputs.h"
#include "worker/run/report.h"
#include "worker/run/session.h"

static int
add_argument(struct run_input *input, const char *argument, struct err *err)
{
    return run_input_add(input, JOB_RECORD_ARG, NULL, argument, strlen(argument), err);
}

/* FILE.py, -c CODE or "-", and the arguments after it. Returns what is left, or NULL. */
static char *const *
add_program(struct run_input *input, const struct run_options *options, struct err *err)
{
    char *const *rest = options->arguments;
    int result;

    if (options->code != NULL) {
        result = run_input_add(input, JOB_RECORD_FILE, EXECUTION_MAIN_PATH, options->code,
                               strlen(options->code), err);
    } else if (*rest == NULL) {
        result = err_set(err, ERR_INVALID, 0, "no program given; see --help");
    } else {
        result = run_input_add_file(input, JOB_RECORD_FILE, EXECUTION_MAIN_PATH, *rest++, err);
    }
    if (result == 0)
        result = add_argument(input, EXECUTION_MAIN_PATH, err);
    return result == 0 ? rest : NULL;
}

static bool
is_overridden(const char *variable, const struct run_options *options)
{
    size_t name_bytes = strcspn(variable, "=");

    for (size_t i = 0; i < options->env_count; i++)
        if (strncmp(options->envs[i], variable, name_bytes) == 0 &&
            options->envs[i][name_bytes] == '=')
            return true;
    return false;
}

static int
add_environment(struct run_input *input, const char *variable, struct err *err)
{
    return run_input_add(input, JOB_RECORD_ENV, NULL, variable, strlen(variable), err);
}

/* A module without a bootstrap takes its own arguments after the image's; --env beats the image. */
static int
add_module_arguments(struct run_input *input, const struct image *image,
                     const struct run_options *options, struct err *err)
{
    for (char **argument = image->argv; *argument != NULL; argument++)
        if (add_argument(input, *argument, err) < 0)
            return -1;
    for (char **env = image->env; *env != NULL; env++)
        if (!is_overridden(*env, options) && add_environment(input, *env, err) < 0)
            return -1;
    for (size_t i = 0; i < options->env_count; i++)
        if (add_environment(input, options->envs[i], err) < 0)
            return -1;
    return 0;
}

/* Its own name, which ends in no slash. */
static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* names: those that are there already. */
static int
add_named_file(struct run_input *input, struct job_files *names, const char *value, struct err *err)
{
    const char *separator = strstr(value, "::");
    size_t length = separator != NULL ? (size_t)(separator - value) : strlen(value);
    const char *name = separator != NULL ? separator + 2 : base_name(value);
    char host[4096], guest[sizeof(EXECUTION_WORK) + FILE_NAME_BYTES];

    if (length >= sizeof(host))
        return err_set(err, ERR_INVALID, 0, "the path is too long");
    snprintf(host, sizeof(host), "%.*s", (int)length, value);
    const char *fault = job_files_name_fault(names, name, strlen(name));
    if (fault != NULL)
        return err_set(err, ERR_INVALID, 0, "the name \"%s\" %s", name, fault);
    if (job_files_add(names, name, strlen(name), NULL, 0) < 0)
        return err_set(err, ERR_INVALID, 0, "more than %d files; --dir takes more", JOB_FILES_MOST);
    snprintf(guest, sizeof(guest), EXECUTION_WORK "%s", name);
    return run_input_add_file(input, JOB_RECORD_FILE, guest, host, err);
}

static int
add_files(struct run_input *input, const struct run_options *options, struct err *err)
{
    struct job job = {.id = ""};
    int result = 0;

    for (size_t i = 0; i < options->file_count && result == 0; i++)
        result = add_named_file(input, &job.files, options->files[i], err);
    job_fini(&job);
    return result == 0 ? 0 : err_wrap(err, "--file");
}

static int
add_directories(struct run_input *input, const struct run_options *options, struct err *err)
{
    for (size_t i = 0; i < options->dir_count; i++) {
        const char *separator = strstr(options->dirs[i], "::");
        char host[4096];
        int length = snprintf(host, sizeof(host), "%.*s", (int)(separator - options->dirs[i]),
                              options->dirs[i]);
        if (length < 0 || (size_t)length >= sizeof(host))
            return err_set(err, ERR_INVALID, 0, "--dir: the path is too long");
        if (run_input_add_directory(input, host, separator + 2, err) < 0)
            return err_wrap(err, "--dir");
    }
    return 0;
}

static int
add_standard_input(struct run_input *input, const struct run_options *options, bool is_module,
                   struct err *err)
{
    bool program_is_stdin =
        !is_module && options->code == NULL && strcmp(options->arguments[0], "-") == 0;

    if (program_is_stdin || isatty(STDIN_FILENO))
        return 0;
    if (run_input_add_file(input, JOB_RECORD_STDIN, NULL, "-", err) < 0)
        return err_wrap(err, "standard input");
    return 0;
}

/* image: the module to run, or NULL for a program in /work/main.py. */
static int
collect(struct run_input *input, const struct run_options *options, const struct image *image,
        struct err *err)
{
    char *const *rest = options->arguments;

    if (image == NULL && options->env_count > 0)
        return err_set(err, ERR_INVALID, 0, "--env: programs of this image have no environment");
    if (image == NULL)
        rest = add_program(input, options, err);
    else if (add_module_arguments(input, image, options, err) < 0)
        return -1;
    if (rest == NULL)
        return -1;
    for (; *rest != NULL; rest++)
        if (add_argument(input, *rest, err) < 0)
            return -1;
    if (add_files(input, options, err) < 0 || add_directories(input, options, err) < 0)
        return -1;
    return add_standard_input(input, options, image != NULL, err);
}

static int
collect_for_image(struct run_input *input, const struct run_options *options, struct err *err)
{
    struct image image;

    if (options->config.image[0] == '\0')
        return collect(input, options, NULL, err);
    if (image_open(&image, options->config.image, err) < 0)
        return err_wrap(err, "IMAGE");
    int result = collect(input, options, image.bootstrap ? NULL : &image, err);
    image_close(&image);
    return result;
}

static int
print_result(const struct run_options *options, const struct result *result, struct err *err)
{
    if (!options->json) {
        run_report_text(result, stderr);
        return run_exit_code(result);
    }
    if (run_report_json(result, options->outputs == NULL, stdout, err) < 0)
        return -1;
    return result->error == ERR_NONE ? 0 : RUN_EXIT_SANDBOX;
}

/* Returns the exit code, or -1. */
static int
run_in(const struct run_options *options, const struct run_input *input,
       const struct engine_choice *engine, int outputs_fd, struct err *err)
{
    struct result result;
    struct isolation_requirement required;
    struct run_session session = {.command = &engine->command,
                                  .input = input,
                                  .required = &required,
                                  .limits = options->limits,
                                  .artifacts = outputs_fd >= 0 || options->json,
                                  .stream = !options->json};

    if (isolation_parse(&required, options->config.require_isolation, err) < 0)
        return -1;
    /* It is one of the layers; without it those inside are tried by themselves. */
    if (required.any)
        engine_lock_down(engine, 1);
    int code = run_session(&session, &result, err);
    if (code == 0)
        code = print_result(options, &result, err);
    if (code >= 0 && outputs_fd >= 0 &&
        run_outputs_write(outputs_fd, &result.artifacts, stderr) < 0)
        code = RUN_EXIT_USAGE;
    result_fini(&result);
    return code;
}

static int
run(const struct run_options *options, const struct run_input *input, struct err *err)
{
    struct engine_choice engine;
    int outputs_fd = -1, code = -1;

    if (engine_choose(&engine, &options->config, ENGINE_PYTHON, err) < 0)
        return -1;
    if (options->outputs != NULL)
        outputs_fd = run_outputs_open(options->outputs, err);
    if (options->outputs == NULL || outputs_fd >= 0)
        code = run_in(options, input, &engine, outputs_fd, err);
    if (outputs_fd >= 0)
        close(outputs_fd);
    engine_choice_fini(&engine);
    return code;
}

int
main(int argc, char **argv)
{
    struct run_options options;
    struct run_input input;
    struct err err = ERR_INIT;
    int code = -1;

    run_input_init(&input);
    if (run_options_parse(&options, argc, argv, &err) == 0) {
        if (options.help) {
            run_options_print_help(stdout);
            code = 0;
        } else if (collect_for_image(&input, &options, &err) == 0) {
            code = run(&options, &input, &err);
        }
    }
    if (code < 0) {
        fprintf(stderr, "retort-run: %s\n", err.text);
        code = err.code == ERR_SANDBOX_ERROR || err.code == ERR_SYSTEM ? RUN_EXIT_SANDBOX
                                                                       : RUN_EXIT_USAGE;
    }
    run_input_fini(&input);
    run_options_fini(&options);
    return code;
}
