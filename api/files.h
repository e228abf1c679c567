/* GET /v1/files, /v1/files/{id}, /v1/files/{id}/content, and DELETE of a file. */
#ifndef RETORT_FILES_H
#define RETORT_FILES_H

#include "api/exchange.h"
#include "api/file_records.h"

void files_list(struct exchange *exchange);
void files_get(struct exchange *exchange);
void files_content(struct exchange *exchange);
void files_delete(struct exchange *exchange);

/* The object that clients see. */
void file_put_object(struct buffer *out, const struct file_record *record);
/* The content that record is about, from the disk, as the answer. */
void file_answer_content(struct exchange *exchange, const struct file_record *record);
/* The store of this process; NULL: it has none, and exchange is answered. */
struct file_store *files_store(struct exchange *exchange);

#endif
