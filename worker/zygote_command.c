/* The command that starts a zygote. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/sandbox/limits.h"
#include "worker/zygote.h"

/* A booted interpreter, and the pages of its program and tree that it was the first to read. */
#define IMAGE_BYTES (UINT64_C(256) << 20)

static int
out_of_memory(struct err *err)
{
    return err_set(err, ERR_SYSTEM, ENOMEM, "cannot build the zygote's command");
}

/* Appends text, which it takes, to a NULL-terminated list. */
static int
append(char ***list, size_t *count, char *text, struct err *err)
{
    char **longer = text == NULL ? NULL : realloc(*list, (*count + 2) * sizeof(**list));

    if (longer == NULL) {
        free(text);
        return out_of_memory(err);
    }
    longer[(*count)++] = text;
    longer[*count] = NULL;
    *list = longer;
    return 0;
}

int
zygote_command_init(struct zygote_command *command, const char *program, const char *tree_path,
                    struct err *err)
{
    *command = (struct zygote_command)ZYGOTE_COMMAND_INIT;
    command->program = strdup(program);
    command->tree_path = tree_path != NULL ? strdup(tree_path) : NULL;
    if (command->program == NULL || (tree_path != NULL && command->tree_path == NULL)) {
        zygote_command_fini(command);
        return out_of_memory(err);
    }
    return 0;
}

int
zygote_command_add(struct zygote_command *command, const char *argument, struct err *err)
{
    return append(&command->argv, &command->argc, strdup(argument), err);
}

int
zygote_command_add_env(struct zygote_command *command, const char *name, const char *value,
                       struct err *err)
{
    char *text = NULL;

    if (asprintf(&text, "%s=%s", name, value) < 0)
        text = NULL;
    return append(&command->env, &command->envc, text, err);
}

static int
add_pair(struct zygote_command *command, const char *flag, const char *value, struct err *err)
{
    if (zygote_command_add(command, flag, err) < 0)
        return -1;
    return zygote_command_add(command, value, err);
}

static int
add_number(struct zygote_command *command, const char *flag, uint64_t value, struct err *err)
{
    char number[24];

    snprintf(number, sizeof(number), "%" PRIu64, value);
    return add_pair(command, flag, number, err);
}

static int
add_image_arguments(struct zygote_command *command, const struct image *image,
                    const struct zygote_settings *settings, struct err *err)
{
    if (add_pair(command, "retort-zygote", "--zygote", err) < 0)
        return -1;
    if (image->bootstrap && zygote_command_add(command, "--bootstrap", err) < 0)
        return -1;
    if (add_number(command, "--work-bytes", settings->work_bytes, err) < 0 ||
        add_number(command, "--work-files", settings->work_files, err) < 0)
        return -1;
    if (image->rehearsal != NULL && add_pair(command, "--rehearsal", image->rehearsal, err) < 0)
        return -1;
    for (char **env = image->env; *env != NULL; env++)
        if (add_pair(command, "--env", *env, err) < 0)
            return -1;
    if (zygote_command_add(command, "--", err) < 0)
        return -1;
    for (char **argument = image->argv; *argument != NULL; argument++)
        if (zygote_command_add(command, *argument, err) < 0)
            return -1;
    return 0;
}

int
zygote_command_for_image(struct zygote_command *command, const struct image *image,
                         const struct zygote_settings *settings, struct err *err)
{
    char *program = NULL, *tree = NULL;
    int result = -1;

    *command = (struct zygote_command)ZYGOTE_COMMAND_INIT;
    if (asprintf(&program, "%s/program", image->directory) < 0)
        program = NULL;
    if (asprintf(&tree, "%s/tree", image->directory) < 0)
        tree = NULL;
    if (program == NULL || tree == NULL)
        out_of_memory(err);
    else
        result = zygote_command_init(command, program, tree, err);
    free(program);
    free(tree);
    if (result == 0 && add_image_arguments(command, image, settings, err) < 0) {
        zygote_command_fini(command);
        return -1;
    }
    command->uid = settings->uid;
    command->reads_proc = image->rehearsal != NULL;
    command->own_bytes = IMAGE_BYTES;
    command->job_bytes = SANDBOX_HOST_DATA_BYTES + SANDBOX_STACK_BYTES;
    return result;
}

static void
free_list(char **list)
{
    for (char **at = list; at != NULL && *at != NULL; at++)
        free(*at);
    free(list);
}

void
zygote_command_fini(struct zygote_command *command)
{
    free(command->program);
    free(command->tree_path);
    free_list(command->argv);
    free_list(command->env);
    *command = (struct zygote_command)ZYGOTE_COMMAND_INIT;
}
