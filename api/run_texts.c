#include "api/run_texts.h"

#include <string.h>
#include <strings.h>

#define STRING_(x) #x
#define STRING(x)  STRING_(x)
#define TOO_MANY   "Value error, there are more than " STRING(JOB_TEXTS_MOST)
#define TOO_LONG   "Value error, more than " STRING(JOB_TEXTS_MOST_BYTES) " bytes together"
/* Longer names are the client's to keep. */
#define NAME_SHOWN 64

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS  "0123456789"

static int
out_of_memory(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, 0, "Out of memory; try again in a moment.");
}

/* NULL, and *text is set; or what is wrong with a value. */
static const char *
text_fault(const struct json_value *value, const char **text, size_t *size)
{
    if (json_kind_of(value) != JSON_KIND_STRING)
        return "Input should be a valid string";
    *text = json_text(value, size);
    return memchr(*text, '\0', *size) ? "Value error, NUL (\\u0000) cannot stand in it" : NULL;
}

int
run_texts_take_args(const struct json_value *value, struct texts *args,
                    struct validation *validation, struct err *err)
{
    struct validation_error error = {.type = "list_type", .field = "args"};
    const char *text;
    size_t size;

    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return 0;
    if (json_kind_of(value) != JSON_KIND_ARRAY)
        error.message = "Input should be a valid list";
    else if (json_length(value) > JOB_TEXTS_MOST)
        error.message = TOO_MANY;
    for (size_t i = 0; !error.message && i < json_length(value); i++) {
        error.message = text_fault(json_item(value, i), &text, &size);
        error.number = i + 1;
        error.type = "string_type";
        if (!error.message && texts_add(args, text, size) < 0)
            return out_of_memory(err);
    }
    if (!error.message && texts_bytes(args) > JOB_TEXTS_MOST_BYTES)
        error = (struct validation_error){.type = "too_long", .field = "args", .message = TOO_LONG};
    if (error.message)
        validation_add(validation, &error);
    return 0;
}

static const char *
name_fault(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || strspn(name, LETTERS DIGITS) != size || strchr(DIGITS, name[0]))
        return "Value error, a name is made of A-Z, a-z, 0-9 and _, and does not begin with a "
               "digit";
    if (strncasecmp(name, "PYTHON", strlen("PYTHON")) == 0)
        return "Value error, names that begin with PYTHON instruct the interpreter";
    return NULL;
}

/* NAME=value, behind the others. */
static int
add_variable(struct texts *env, const char *name, const char *value, size_t size)
{
    struct buffer text = BUFFER_INIT;

    buffer_puts(&text, name);
    buffer_putc(&text, '=');
    buffer_append(&text, value, size);
    int rc = text.failed ? -1 : texts_add(env, text.data, text.size);
    buffer_fini(&text);
    return rc;
}

int
run_texts_take_env(const struct json_value *value, struct texts *env, struct validation *validation,
                   struct err *err)
{
    struct validation_error error = {.type = "value_error", .field = "env"};
    const struct json_value *member;
    const char *name = NULL, *text;
    size_t size;

    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return 0;
    if (json_kind_of(value) != JSON_KIND_OBJECT)
        error.message = "Input should be a valid dictionary";
    while (!error.message && (member = json_next_member(value, &name))) {
        error.message = name_fault(name);
        if (!error.message)
            error.message = text_fault(member, &text, &size);
        if (!error.message && env->count == JOB_TEXTS_MOST)
            error.message = TOO_MANY;
        error.member = strlen(name) <= NAME_SHOWN ? name : NULL;
        if (!error.message && add_variable(env, name, text, size) < 0)
            return out_of_memory(err);
    }
    if (!error.message && texts_bytes(env) > JOB_TEXTS_MOST_BYTES)
        error = (struct validation_error){.type = "too_long", .field = "env", .message = TOO_LONG};
    if (error.message)
        validation_add(validation, &error);
    return 0;
}
