#include "worker/engine_choice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon_filter.h"
#include "worker/cli/limits.h"
#include "worker/image_find.h"
#include "worker/sha256_file.h"
#include "worker/zygote_spawn.h"

/* Of the languages that an error names. */
#define LANGUAGES_TEXT_SIZE 200

static int
keep_source(struct engine_choice *choice, const char *source, struct err *err)
{
    choice->source = strdup(source);
    return choice->source ? 0 : err_set(err, ERR_SYSTEM, ENOMEM, "choosing the engine");
}

/* Takes image. */
static int
choose_image(struct engine_choice *choice, const struct config *config, struct image *image,
             struct err *err)
{
    const struct zygote_settings settings = {
        .uid = (uint32_t)config->sandbox_uid,
        .work_bytes = config->max_work_bytes,
        .work_files = (uint32_t)config->max_work_files,
    };
    int result = zygote_command_for_image(&choice->command, image, &settings, err);

    if (result == 0)
        result = keep_source(choice, image->directory, err);
    image_close(image);
    return result;
}

/* --name value, when value is not empty. */
static int
add_option(struct zygote_command *command, const char *name, const char *value, struct err *err)
{
    if (!*value)
        return 0;
    if (zygote_command_add(command, name, err) < 0)
        return -1;
    return zygote_command_add(command, value, err);
}

/* What the runtime's command needs of our environment; nothing else of it is passed on. */
static int
add_environment(struct zygote_command *command, struct err *err)
{
    static const char *const names[] = {"PATH", "TMPDIR"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && zygote_command_add_env(command, names[i], value, err) < 0)
            return -1;
    }
    return 0;
}

static int
fill_cli_command(struct zygote_command *command, const struct config *config, struct err *err)
{
    char uid[16] = "";

    /* As root that user is the sandbox's alone, and its processes can be counted. */
    if (geteuid() == 0)
        (void)snprintf(uid, sizeof(uid), "%" PRIu64, config->sandbox_uid);
    command->uid = (uint32_t)config->sandbox_uid;
    /* The trial run is a runtime's as well. */
    command->own_bytes = command->job_bytes = CLI_RUNTIME_DATA_BYTES;
    command->pids = CLI_RUNTIME_PROCESSES;
    if (zygote_command_add(command, command->program, err) < 0 ||
        zygote_command_add(command, "--zygote", err) < 0 ||
        add_option(command, "--runtime", config->python_wasm_runtime, err) < 0 ||
        add_option(command, "--runtime-args", config->python_wasm_runtime_args, err) < 0 ||
        add_option(command, "--module", config->python_wasm_path, err) < 0 ||
        add_option(command, "--uid", uid, err) < 0)
        return -1;
    if (config->python_wasm_disable_isolated &&
        zygote_command_add(command, "--no-isolated", err) < 0)
        return -1;
    return add_environment(command, err);
}

static int
choose_cli(struct engine_choice *choice, const struct config *config, struct err *err)
{
    char *directory = program_directory(err);
    char *program;

    if (!directory)
        return -1;
    int length = asprintf(&program, "%s/retort-cli-zygote", directory);
    free(directory);
    if (length < 0)
        return err_set(err, ERR_SYSTEM, ENOMEM, "choosing the engine");
    choice->cli = true;
    int result = zygote_command_init(&choice->command, program, NULL, err);
    free(program);
    if (result == 0)
        result = fill_cli_command(&choice->command, config, err);
    if (result == 0)
        result = keep_source(choice, config->python_wasm_path, err);
    return result;
}

static int
choose_module(struct engine_choice *choice, const struct config *config,
              const struct image_roots *roots, struct err *err)
{
    char sha256[SHA256_HEX_SIZE];
    struct image image;

    if (sha256_file(config->python_wasm_path, sha256, err) < 0)
        return err_wrap(err, "PYTHON_WASM_PATH");
    int found = image_find(roots, NULL, sha256, &image, err);
    if (found < 0)
        return -1;
    return found ? choose_image(choice, config, &image, err) : choose_cli(choice, config, err);
}

static int
refuse_python(const struct image_roots *roots, struct err *err)
{
    return err_set(err, ERR_CONFIG, 0,
                   "no Python image below %s, %s or %s: `make image` makes one; or set "
                   "IMAGE or PYTHON_WASM_PATH",
                   roots->path[0], roots->path[1], roots->path[2]);
}

static int
refuse_language(const struct image_roots *roots, const char *language, struct err *err)
{
    char there[LANGUAGES_TEXT_SIZE];

    image_list_languages(roots, there, sizeof(there));
    return err_set(err, ERR_CONFIG, 0, "LANGUAGES: there is no image of %s; there are: %s",
                   language, *there ? there : "none");
}

static int
choose_installed(struct engine_choice *choice, const struct config *config,
                 const struct image_roots *roots, struct err *err)
{
    struct image image;
    int found = image_find(roots, choice->language, NULL, &image, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return strcmp(choice->language, ENGINE_PYTHON) == 0
                   ? refuse_python(roots, err)
                   : refuse_language(roots, choice->language, err);
    return choose_image(choice, config, &image, err);
}

static int
choose_named(struct engine_choice *choice, const struct config *config, struct err *err)
{
    struct image image;

    if (image_open(&image, config->image, err) < 0)
        return err_wrap(err, "IMAGE");
    return choose_image(choice, config, &image, err);
}

int
engine_choose(struct engine_choice *choice, const struct config *config, const char *language,
              struct err *err)
{
    bool python = strcmp(language, ENGINE_PYTHON) == 0;
    struct image_roots roots;
    int result;

    *choice = (struct engine_choice){.language = language, .command = ZYGOTE_COMMAND_INIT};
    if (python && *config->image) {
        result = choose_named(choice, config, err);
    } else {
        if (image_roots_init(&roots, err) < 0)
            return -1;
        result = python && *config->python_wasm_path
                     ? choose_module(choice, config, &roots, err)
                     : choose_installed(choice, config, &roots, err);
        image_roots_fini(&roots);
    }
    if (result < 0)
        engine_choice_fini(choice);
    return result;
}

int
engines_choose(struct engines *engines, const struct config *config, struct err *err)
{
    if (languages_parse(&engines->languages, config->languages, err) < 0) {
        engines->languages.count = 0;
        return -1;
    }
    for (size_t i = 0; i < engines->languages.count; i++) {
        if (engine_choose(&engines->list[i], config, engines->languages.list[i].name, err) < 0) {
            engines->languages.count = i;
            engines_fini(engines);
            return -1;
        }
    }
    return 0;
}

void
engines_fini(struct engines *engines)
{
    for (size_t i = 0; i < engines->languages.count; i++)
        engine_choice_fini(&engines->list[i]);
    engines->languages.count = 0;
}

void
engine_lock_down(const struct engine_choice *choices, size_t count)
{
    struct err refused = ERR_INIT;
    unsigned programs = DAEMON_WORKER;

    /* A loader maps libraries, and a runtime is any program; all of them inherit this filter. */
    for (size_t i = 0; i < count; i++) {
        if (zygote_program_has_interpreter(choices[i].command.program))
            programs |= DAEMON_RUNTIME;
    }
    (void)daemon_lock_down(programs, &refused);
}

void
engine_choice_fini(struct engine_choice *choice)
{
    zygote_command_fini(&choice->command);
    free(choice->source);
    *choice = (struct engine_choice){.command = ZYGOTE_COMMAND_INIT};
}
