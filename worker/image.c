/* Reading image.json. This file is the only one of the worker that knows jansson. */
#include "worker/image.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
bad(const char *name, const char *what, struct err *err)
{
    return err_set(err, ERR_CONFIG, 0, "\"%s\" %s", name, what);
}

static int
take_copy(char **to, const char *text, struct err *err)
{
    *to = strdup(text);
    return *to != NULL ? 0 : err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the image's facts");
}

static int
read_string(const json_t *root, const char *name, char **to, struct err *err)
{
    const char *text = json_string_value(json_object_get(root, name));

    return text != NULL ? take_copy(to, text, err) : bad(name, "is not a string", err);
}

static int
read_strings(const json_t *root, const char *name, char ***to, struct err *err)
{
    const json_t *array = json_object_get(root, name);
    size_t count = json_array_size(array);

    if (!json_is_array(array))
        return bad(name, "is not an array", err);
    *to = calloc(count + 1, sizeof(**to));
    if (*to == NULL)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the image's facts");
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (text == NULL)
            return bad(name, "has an element that is not a string", err);
        if (take_copy(&(*to)[i], text, err) < 0)
            return -1;
    }
    return 0;
}

static int
read_facts(struct image *image, const json_t *root, struct err *err)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *bootstrap = json_object_get(root, "bootstrap");

    if (!json_is_integer(format))
        return bad("format", "is not a number", err);
    if (json_integer_value(format) != IMAGE_FORMAT)
        return err_set(err, ERR_CONFIG, 0, "format %lld is not %d, the one that this program knows",
                       (long long)json_integer_value(format), IMAGE_FORMAT);
    if (!json_is_boolean(bootstrap))
        return bad("bootstrap", "is neither true nor false", err);
    image->bootstrap = json_is_true(bootstrap);
    if (read_string(root, "language", &image->language, err) < 0)
        return -1;
    if (read_string(root, "module_sha256", &image->module_sha256, err) < 0)
        return -1;
    if (json_object_get(root, "rehearsal") != NULL &&
        read_string(root, "rehearsal", &image->rehearsal, err) < 0)
        return -1;
    if (read_strings(root, "env", &image->env, err) < 0 ||
        read_strings(root, "argv", &image->argv, err) < 0)
        return -1;
    return image->argv[0] != NULL ? 0 : bad("argv", "is empty", err);
}

static int
read_file(struct image *image, struct err *err)
{
    char *path = NULL;
    json_error_t where;

    if (asprintf(&path, "%s/image.json", image->directory) < 0)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot read the image");
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    int result = root != NULL ? read_facts(image, root, err)
                              : err_set(err, ERR_CONFIG, 0, "line %d: %s", where.line, where.text);
    if (result < 0)
        err_wrap(err, "%s", path);
    json_decref(root);
    free(path);
    return result;
}

int
image_open(struct image *image, const char *directory, struct err *err)
{
    *image = (struct image){.directory = NULL};
    if (take_copy(&image->directory, directory, err) < 0)
        return -1;
    if (read_file(image, err) < 0) {
        image_close(image);
        return -1;
    }
    return 0;
}

static void
free_strings(char **strings)
{
    for (char **at = strings; at != NULL && *at != NULL; at++)
        free(*at);
    free(strings);
}

void
image_close(struct image *image)
{
    free(image->directory);
    free(image->language);
    free(image->module_sha256);
    free(image->rehearsal);
    free_strings(image->argv);
    free_strings(image->env);
    *image = (struct image){.directory = NULL};
}
