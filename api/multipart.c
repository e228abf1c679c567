/*
 * A delimiter begins with the only CR that is in it. So when it breaks off after k bytes, these k
 * are data, and the byte that broke it can begin a new one only if it is a CR: nothing is looked at
 * twice. The first delimiter lacks its line end, as if that had come before the body.
 */
#include "api/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/header_value.h"
#include "common/utf8.h"

#define LINE_END      2 /* bytes of a delimiter that are one */
#define FILENAME_NONE "file"

static int
fail(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, 0, "The body is not well-formed multipart/form-data: %s.",
                   what);
}

/* ---- the boundary ------------------------------------------------------------------------- */

static bool
is_boundary(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size <= MULTIPART_BOUNDARY_BYTES && text[size - 1] != ' ' &&
           strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "'()+_,-./:=? ") == size;
}

int
multipart_init(struct multipart *multipart, const char *content_type,
               const struct multipart_events *events, void *context, struct err *err)
{
    char boundary[MULTIPART_BOUNDARY_BYTES + 1];

    *multipart = (struct multipart){.state = MULTIPART_START, .events = events, .context = context};
    if (!header_value_is(content_type, "multipart/form-data") ||
        header_value_parameter(content_type, "boundary", boundary, sizeof(boundary)) != 1 ||
        !is_boundary(boundary))
        return err_set(err, ERR_INVALID, 0,
                       "Send the file as multipart/form-data, with a boundary of at most %d "
                       "characters in Content-Type.",
                       MULTIPART_BOUNDARY_BYTES);
    int size = snprintf(multipart->delimiter, sizeof(multipart->delimiter), "\r\n--%s", boundary);
    multipart->delimiter_size = (size_t)size;
    return 0;
}

/* ---- the head of a part ------------------------------------------------------------------- */

/* A name and no path; "file" when nothing of one is left. */
static void
keep_name_only(char *filename)
{
    const char *name = filename;

    for (const char *at = filename; *at; at++)
        if (*at == '/' || *at == '\\')
            name = at + 1;
    memmove(filename, name, strlen(name) + 1);
    if (filename[0] == '\0' || strcmp(filename, ".") == 0 || strcmp(filename, "..") == 0)
        memcpy(filename, FILENAME_NONE, sizeof(FILENAME_NONE));
}

static int
take_disposition(struct multipart_part *part, const char *value, struct err *err)
{
    int named;

    if (!header_value_is(value, "form-data"))
        return fail(err, "a part is not form-data");
    if (part->name[0])
        return fail(err, "a part has two Content-Disposition headers");
    if (header_value_parameter(value, "name", part->name, sizeof(part->name)) != 1 ||
        !part->name[0])
        return fail(err, "a part has no name of at most 255 bytes");
    named = header_value_parameter(value, "filename", part->filename, sizeof(part->filename));
    if (named < 0)
        return fail(err, "a part's filename has more than 255 bytes, or quotes that do not close");
    part->has_filename = named == 1;
    if (utf8_valid_prefix(part->filename, strlen(part->filename)) != strlen(part->filename) ||
        strchr(part->filename, '\t'))
        return fail(err, "a filename is not UTF-8, or has a control character");
    keep_name_only(part->filename);
    return 0;
}

static bool
is_plain(const char *coding)
{
    return strcasecmp(coding, "binary") == 0 || strcasecmp(coding, "8bit") == 0 ||
           strcasecmp(coding, "7bit") == 0;
}

static int
take_header(struct multipart_part *part, char *line, struct err *err)
{
    char *colon = strchr(line, ':');

    if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
        return fail(err, "a part has a line that is no header");
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (strcasecmp(line, "Content-Disposition") == 0)
        return take_disposition(part, value, err);
    if (strcasecmp(line, "Content-Transfer-Encoding") == 0 && !is_plain(value))
        return fail(err, "no Content-Transfer-Encoding is understood");
    if (strcasecmp(line, "Content-Type") != 0)
        return 0;
    if (part->content_type[0] || strlen(value) >= sizeof(part->content_type))
        return fail(err, "a part has two Content-Types, or one of more than 255 bytes");
    memcpy(part->content_type, value, strlen(value) + 1);
    return 0;
}

/* The head is complete: lines, each with its CRLF, and no other control character. */
static int
begin_part(struct multipart *multipart, struct err *err)
{
    struct multipart_part part = {.name = ""};
    char *line = multipart->head, *end;

    multipart->head[multipart->head_size] = '\0';
    for (; *line; line = end + LINE_END) {
        end = strstr(line, "\r\n");
        *end = '\0';
        if (take_header(&part, line, err) < 0)
            return -1;
    }
    if (!part.name[0])
        return fail(err, "a part has no Content-Disposition");
    if (++multipart->parts > MULTIPART_PARTS_MOST)
        return fail(err, "it has more than 16 parts");
    multipart->state = MULTIPART_DATA;
    multipart->matched = 0;
    return multipart->events->on_part(multipart->context, &part, err);
}

static bool
may_stand_in_head(const struct multipart *multipart, char byte)
{
    bool after_cr = multipart->head_size > 0 && multipart->head[multipart->head_size - 1] == '\r';

    if (after_cr || byte == '\n')
        return after_cr && byte == '\n';
    return byte == '\r' || byte == '\t' || ((unsigned char)byte >= 0x20 && byte != 0x7f);
}

static int
take_head_byte(struct multipart *multipart, char byte, struct err *err)
{
    char *head = multipart->head;

    if (!may_stand_in_head(multipart, byte))
        return fail(err, "the head of a part has a control character, or a line without CRLF");
    if (multipart->head_size == MULTIPART_HEAD_BYTES - 1)
        return fail(err, "the head of a part has more than 8 KiB");
    head[multipart->head_size++] = byte;
    size_t size = multipart->head_size;
    bool empty_line = size >= LINE_END && memcmp(head + size - LINE_END, "\r\n", LINE_END) == 0 &&
                      (size == LINE_END || (size >= 4 && memcmp(head + size - 4, "\r\n", 2) == 0));
    if (!empty_line)
        return 0;
    multipart->head_size -= LINE_END;
    return begin_part(multipart, err);
}

/* ---- between parts ------------------------------------------------------------------------ */

static int
take_bound_byte(struct multipart *multipart, char byte, struct err *err)
{
    bool blank = byte == ' ' || byte == '\t';

    if (multipart->state == MULTIPART_BOUND && byte == '-')
        multipart->state = MULTIPART_DASH;
    else if (multipart->state == MULTIPART_DASH && byte == '-')
        multipart->state = MULTIPART_END;
    else if (multipart->state == MULTIPART_BOUND_LF && byte == '\n')
        multipart->state = MULTIPART_HEAD;
    else if ((multipart->state == MULTIPART_BOUND || multipart->state == MULTIPART_PADDING) &&
             (blank || byte == '\r'))
        multipart->state = blank ? MULTIPART_PADDING : MULTIPART_BOUND_LF;
    else if (multipart->state != MULTIPART_END || (!blank && byte != '\r' && byte != '\n'))
        return fail(err, multipart->state == MULTIPART_END
                             ? "something stands behind its last delimiter"
                             : "something stands behind a delimiter");
    multipart->head_size = 0;
    return 0;
}

static int
take_first_byte(struct multipart *multipart, char byte, struct err *err)
{
    if (multipart->matched == 0 && byte == multipart->delimiter[LINE_END])
        multipart->matched = LINE_END;
    if (byte != multipart->delimiter[multipart->matched])
        return fail(err, "it does not begin with its delimiter");
    if (++multipart->matched == multipart->delimiter_size)
        multipart->state = MULTIPART_BOUND;
    return 0;
}

/* ---- data --------------------------------------------------------------------------------- */

static int
pass(struct multipart *multipart, const char *data, size_t size, struct err *err)
{
    return size == 0 ? 0 : multipart->events->on_data(multipart->context, data, size, err);
}

/* Takes what it can of data; *used bytes of it. */
static int
take_data(struct multipart *multipart, const char *data, size_t size, size_t *used, struct err *err)
{
    const char *cr = multipart->matched == 0 ? memchr(data, '\r', size) : data;
    size_t at = cr ? (size_t)(cr - data) : size;

    *used = at;
    if (pass(multipart, data, at, err) < 0)
        return -1;
    while (at < size && data[at] == multipart->delimiter[multipart->matched]) {
        at++;
        if (++multipart->matched == multipart->delimiter_size) {
            multipart->state = MULTIPART_BOUND;
            *used = at;
            return multipart->events->on_part_end(multipart->context, err);
        }
    }
    *used = at;
    if (at == size)
        return 0;
    size_t broken = multipart->matched;
    multipart->matched = 0;
    return pass(multipart, multipart->delimiter, broken, err);
}

static int
take_byte(struct multipart *multipart, char byte, struct err *err)
{
    switch (multipart->state) {
    case MULTIPART_START:
        return take_first_byte(multipart, byte, err);
    case MULTIPART_HEAD:
        return take_head_byte(multipart, byte, err);
    case MULTIPART_BOUND:
    case MULTIPART_DASH:
    case MULTIPART_PADDING:
    case MULTIPART_BOUND_LF:
    case MULTIPART_END:
    case MULTIPART_DATA:
        break;
    }
    return take_bound_byte(multipart, byte, err);
}

int
multipart_feed(struct multipart *multipart, const char *data, size_t size, struct err *err)
{
    while (size > 0) {
        size_t used = 1;
        if ((multipart->state == MULTIPART_DATA ? take_data(multipart, data, size, &used, err)
                                                : take_byte(multipart, *data, err)) < 0)
            return -1;
        data += used;
        size -= used;
    }
    return 0;
}

int
multipart_end(const struct multipart *multipart, struct err *err)
{
    return multipart->state == MULTIPART_END ? 0 : fail(err, "its last delimiter is missing");
}
