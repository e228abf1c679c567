#include "api/execute_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/request_files.h"
#include "common/base64.h"

struct taking {
    struct request_files at;
    const struct config *config;
    struct err *err;
    uint64_t bytes; /* of the files before it */
};

static int
out_of_memory(const struct taking *taking)
{
    return err_set(taking->err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
}

static int
check_bytes(const struct taking *taking, size_t size)
{
    if (size <= taking->config->max_files_bytes - taking->bytes)
        return 0;
    return err_set(taking->err, ERR_TOO_LARGE, 0,
                   "The files are larger than MAX_FILES_BYTES allows, %" PRIu64 " together.",
                   taking->config->max_files_bytes);
}

/* 1: contents is set; 0: a complaint; -1: err. */
static int
decode(const struct taking *taking, const char *text, size_t size, struct bytes *contents)
{
    /* Before anything is allocated: at least so many bytes it would be. */
    if (check_bytes(taking, size < 4 ? 0 : size / 4 * 3 - 2) < 0)
        return -1;
    contents->data = malloc(size / 4 * 3 + 1);
    if (!contents->data)
        return out_of_memory(taking);
    if (base64_decode(text, size, contents->data, &contents->size) < 0) {
        bytes_fini(contents);
        request_files_complain(&taking->at, "value_error", "content_base64",
                               "Value error, not base64 as RFC 4648 has it, with padding and no "
                               "white space");
        return 0;
    }
    contents->data[contents->size] = '\0';
    if (contents->size == 0)
        bytes_fini(contents);
    if (check_bytes(taking, contents->size) == 0)
        return 1;
    bytes_fini(contents);
    return -1;
}

/* As decode(). */
static int
take_contents(const struct taking *taking, const struct json_value *file, struct bytes *contents)
{
    bool encoded = json_member(file, "content_base64") != NULL;
    size_t size;

    *contents = (struct bytes){0};
    if (encoded && json_member(file, "content")) {
        request_files_complain(&taking->at, "value_error", NULL,
                               "Value error, content and content_base64 exclude each other");
        return 0;
    }
    const char *text =
        request_files_text(&taking->at, file, encoded ? "content_base64" : "content", &size);
    if (!text)
        return 0;
    if (encoded)
        return decode(taking, text, size, contents);
    if (check_bytes(taking, size) < 0)
        return -1;
    return bytes_copy(contents, text, size) < 0 ? out_of_memory(taking) : 1;
}

static int
take_file(struct taking *taking, const struct json_value *file)
{
    struct bytes contents;
    size_t name_size;

    if (!request_files_is_object(&taking->at, file))
        return 0;
    const char *name = request_files_text(&taking->at, file, "name", &name_size);
    if (name && !request_files_name_is_good(&taking->at, "name", name, name_size))
        name = NULL;
    int taken = take_contents(taking, file, &contents);
    if (taken < 0)
        return -1;
    taking->bytes += contents.size;
    if (taken == 0 || !name) {
        bytes_fini(&contents);
        return 0;
    }
    return job_files_take(taking->at.files, name, name_size, &contents) < 0 ? out_of_memory(taking)
                                                                            : 0;
}

static void
complain_of_count(size_t count, const struct config *config, struct validation *validation)
{
    char message[128], ctx[96];

    snprintf(message, sizeof(message),
             "List should have at most %" PRIu64 " items (MAX_FILES), not %zu", config->max_files,
             count);
    snprintf(ctx, sizeof(ctx),
             "\"field_type\":\"List\",\"max_length\":%" PRIu64 ",\"actual_length\":%zu",
             config->max_files, count);
    validation_add(validation,
                   &(struct validation_error){
                       .type = "too_long", .field = "files", .message = message, .ctx = ctx});
}

int
execute_files_take(const struct json_value *value, const struct config *config,
                   struct job_files *files, struct validation *validation, struct err *err)
{
    struct taking taking = {
        .at = {.files = files, .validation = validation}, .config = config, .err = err};

    if (!request_files_is_list(&taking.at, value))
        return 0;
    if (json_length(value) > config->max_files) {
        complain_of_count(json_length(value), config, validation);
        return 0;
    }
    for (taking.at.number = 1; taking.at.number <= json_length(value); taking.at.number++)
        if (take_file(&taking, json_item(value, taking.at.number - 1)) < 0)
            return -1;
    return 0;
}
