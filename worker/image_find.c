#include "worker/image_find.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the directory of the running program, or from the one that it is in. */
static const struct {
    bool above;
    const char *path;
} root_rows[IMAGE_ROOT_COUNT] = {
    {false, "image"},
    {true, "image"},
    {true, "lib/retort/image"},
};

char *
program_directory(struct err *err)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (length < 0) {
        err_set(err, ERR_SYSTEM, errno, "reading /proc/self/exe");
        return NULL;
    }
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    char *copy = strdup(path);
    if (!copy)
        err_set(err, ERR_SYSTEM, ENOMEM, "naming the program's directory");
    return copy;
}

int
image_roots_init(struct image_roots *roots, struct err *err)
{
    char *directory = program_directory(err);
    int result = 0;

    *roots = (struct image_roots){0};
    if (!directory)
        return -1;
    const char *slash = strrchr(directory, '/');
    size_t length = strlen(directory), above = slash ? (size_t)(slash - directory) : 0;
    for (size_t i = 0; result == 0 && i < IMAGE_ROOT_COUNT; i++) {
        if (asprintf(&roots->path[i], "%.*s/%s", (int)(root_rows[i].above ? above : length),
                     directory, root_rows[i].path) < 0) {
            roots->path[i] = NULL;
            result = err_set(err, ERR_SYSTEM, ENOMEM, "naming the directories of images");
        }
    }
    free(directory);
    if (result < 0)
        image_roots_fini(roots);
    return result;
}

void
image_roots_fini(struct image_roots *roots)
{
    for (size_t i = 0; i < IMAGE_ROOT_COUNT; i++)
        free(roots->path[i]);
    *roots = (struct image_roots){0};
}

static bool
has_description(const char *directory)
{
    char *path;

    if (asprintf(&path, "%s/image.json", directory) < 0)
        return false;
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static int
visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* What is done with an image's directory; not 0: the last one. */
typedef int visit_fn(void *context, const char *directory, struct err *err);

/* Goes through the directories in one root, by name, so that the choice does not depend on chance.
 */
static int
visit_below(const char *root, visit_fn *visit, void *context, struct err *err)
{
    struct dirent **entries;
    int count = scandir(root, &entries, visible, alphasort);
    int result = 0;

    if (count < 0)
        return 0; /* no such root: nothing is installed there */
    for (int i = 0; i < count; i++) {
        char *directory = NULL;
        if (result == 0 && asprintf(&directory, "%s/%s", root, entries[i]->d_name) < 0) {
            directory = NULL;
            result = err_set(err, ERR_SYSTEM, ENOMEM, "searching for images");
        }
        if (result == 0 && has_description(directory))
            result = visit(context, directory, err);
        free(directory);
        free(entries[i]);
    }
    free(entries);
    return result;
}

struct search {
    const char *language, *module_sha256;
    struct image *image;
};

/* 1: it is the one that is looked for, and stays open. */
static int
open_if_match(void *context, const char *directory, struct err *err)
{
    const struct search *search = context;
    struct image *image = search->image;

    if (image_open(image, directory, err) < 0)
        return -1;
    if ((!search->language || strcmp(image->language, search->language) == 0) &&
        (!search->module_sha256 || strcmp(image->module_sha256, search->module_sha256) == 0))
        return 1;
    image_close(image);
    return 0;
}

int
image_find(const struct image_roots *roots, const char *language, const char *module_sha256,
           struct image *image, struct err *err)
{
    struct search search = {language, module_sha256, image};

    for (size_t i = 0; i < IMAGE_ROOT_COUNT; i++) {
        int result = visit_below(roots->path[i], open_if_match, &search, err);
        if (result != 0)
            return result;
    }
    return 0;
}

struct listing {
    char *text;
    size_t size, used;
};

static int
add_language(void *context, const char *directory, struct err *err)
{
    struct listing *listing = context;
    struct image image;

    if (image_open(&image, directory, err) < 0)
        return 0; /* it can serve nobody */
    size_t room = listing->size - listing->used;
    int length = snprintf(listing->text + listing->used, room, "%s%s", listing->used ? ", " : "",
                          image.language);
    image_close(&image);
    if (length < 0 || (size_t)length >= room) {
        listing->text[listing->used] = '\0';
        return 1;
    }
    listing->used += (size_t)length;
    return 0;
}

void
image_list_languages(const struct image_roots *roots, char *text, size_t size)
{
    struct listing listing = {text, size, 0};
    struct err ignored = ERR_INIT;

    *text = '\0';
    for (size_t i = 0; i < IMAGE_ROOT_COUNT; i++) {
        if (visit_below(roots->path[i], add_language, &listing, &ignored) != 0)
            return;
    }
}
