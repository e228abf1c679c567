#include "api/execute_limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Up to here doubles count one by one. */
#define EXACT_MOST 9007199254740991.0

/* Longer names are the client's to keep. */
#define NAME_SHOWN 64

struct row {
    const char *name;
    size_t offset;
    uint32_t least;
};

static const struct row rows[] = {
#define JOB_LIMIT(field, since, least, most, meaning)                                              \
    {#field, offsetof(struct job_limits, field), least},
#include "common/job_limits.def"
#undef JOB_LIMIT
};

static const struct row *
find_row(const char *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* Sets type and message; wanted stays for the caller to compare. */
static void
check_number(const struct json_value *value, double *wanted, struct validation_error *error)
{
    *wanted = json_kind_of(value) == JSON_KIND_NUMBER ? json_number(value) : 0;
    error->input = value;
    if (json_kind_of(value) != JSON_KIND_NUMBER) {
        error->type = "int_type";
        error->message = "Input should be a valid integer";
    } else if (*wanted != floor(*wanted)) {
        error->type = "int_from_float";
        error->message = "Input should be a valid integer, got a number with a fractional part";
    } else if (*wanted <= 0) {
        error->type = "greater_than";
        error->message = "Input should be greater than 0";
        error->ctx = "\"gt\":0";
    }
}

void
execute_limits_lower(const struct json_value *value, uint32_t *limit,
                     struct validation_error *error, struct validation *validation)
{
    double wanted;
    check_number(value, &wanted, error);
    if (error->type)
        validation_add(validation, error);
    else if (wanted < *limit)
        *limit = (uint32_t)wanted;
}

static void
take_row(const struct row *row, const struct json_value *value, struct job_limits *limits,
         struct validation *validation)
{
    struct validation_error error = {.field = "limits", .member = row->name};
    uint32_t *limit = (uint32_t *)(void *)((char *)limits + row->offset);
    char message[64], ctx[32];
    double wanted;
    check_number(value, &wanted, &error);
    if (!error.type && wanted < row->least) {
        snprintf(message, sizeof(message), "Input should be greater than or equal to %u",
                 row->least);
        snprintf(ctx, sizeof(ctx), "\"ge\":%u", row->least);
        error.type = "greater_than_equal";
        error.message = message;
        error.ctx = ctx;
    } else if (!error.type && wanted > EXACT_MOST) {
        error.type = "less_than_equal";
        error.message = "Input should be less than or equal to 9007199254740991";
        error.ctx = "\"le\":9007199254740991";
    }
    if (error.type)
        validation_add(validation, &error);
    else if (wanted < *limit)
        *limit = (uint32_t)wanted;
}

void
execute_limits_take(const struct json_value *value, struct job_limits *limits,
                    struct validation *validation)
{
    const struct json_value *member;
    const char *name = NULL;
    if (!value || json_kind_of(value) == JSON_KIND_NULL)
        return;
    if (json_kind_of(value) != JSON_KIND_OBJECT) {
        validation_add(validation,
                       &(struct validation_error){.type = "dict_type",
                                                  .field = "limits",
                                                  .message = "Input should be a valid dictionary",
                                                  .input = value});
        return;
    }
    while ((member = json_next_member(value, &name))) {
        const struct row *row = find_row(name);
        if (row)
            take_row(row, member, limits, validation);
        else
            validation_add(validation, &(struct validation_error){
                                           .type = "extra_forbidden",
                                           .field = "limits",
                                           .member = strlen(name) <= NAME_SHOWN ? name : NULL,
                                           .message = "There is no limit of that name"});
    }
}
