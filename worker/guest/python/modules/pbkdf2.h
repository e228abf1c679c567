/*
 * PBKDF2 with HMAC (RFC 8018), for a module of CPython's that has one hash function. OpenSSL has it
 * natively; in Python alone it takes several times as long. Included once by such a module, with
 *
 *     PBKDF2_STATE                           type of the hash's state; may be copied
 *     PBKDF2_BLOCK, PBKDF2_DIGEST            bytes of a block; of the longest digest
 *     PBKDF2_INIT(state, size)               begins the variant whose digest has that many bytes
 *     PBKDF2_UPDATE(state, data, bytes)
 *     PBKDF2_FINAL(state, digest)
 *     PBKDF2_METHOD                          the row for the module's table of functions, defined
 * here
 */
#ifndef GUEST_PBKDF2_H
#define GUEST_PBKDF2_H

#include "Python.h"

struct pbkdf2_keyed {
    PBKDF2_STATE inner, outer; /* the key's blocks are in */
    int size;
};

static void
pbkdf2_key(struct pbkdf2_keyed *keyed, const Py_buffer *password, int size)
{
    unsigned char block[PBKDF2_BLOCK] = {0}, pad[PBKDF2_BLOCK];

    memset(keyed, 0, sizeof(*keyed));
    keyed->size = size;
    if (password->len > PBKDF2_BLOCK) {
        PBKDF2_INIT(&keyed->inner, size);
        PBKDF2_UPDATE(&keyed->inner, password->buf, password->len);
        PBKDF2_FINAL(&keyed->inner, block);
        memset(block + size, 0, (size_t)(PBKDF2_BLOCK - size));
    } else {
        memcpy(block, password->buf, (size_t)password->len);
    }
    for (int i = 0; i < PBKDF2_BLOCK; i++)
        pad[i] = block[i] ^ 0x36;
    PBKDF2_INIT(&keyed->inner, size);
    PBKDF2_UPDATE(&keyed->inner, pad, PBKDF2_BLOCK);
    for (int i = 0; i < PBKDF2_BLOCK; i++)
        pad[i] = block[i] ^ 0x5c;
    PBKDF2_INIT(&keyed->outer, size);
    PBKDF2_UPDATE(&keyed->outer, pad, PBKDF2_BLOCK);
}

/* digest = HMAC(what went into state since the inner key, and data) */
static void
pbkdf2_finish(const struct pbkdf2_keyed *keyed, PBKDF2_STATE *state, const unsigned char *data,
              Py_ssize_t bytes, unsigned char *digest)
{
    PBKDF2_STATE outer = keyed->outer;

    PBKDF2_UPDATE(state, (unsigned char *)data, bytes);
    PBKDF2_FINAL(state, digest);
    PBKDF2_UPDATE(&outer, digest, keyed->size);
    PBKDF2_FINAL(&outer, digest);
}

static void
pbkdf2_block(const struct pbkdf2_keyed *keyed, const Py_buffer *salt, uint32_t number,
             long iterations, unsigned char *sum)
{
    unsigned char digest[PBKDF2_DIGEST];
    unsigned char index[4] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                              (unsigned char)(number >> 8), (unsigned char)number};
    PBKDF2_STATE state = keyed->inner;

    PBKDF2_UPDATE(&state, salt->buf, salt->len);
    pbkdf2_finish(keyed, &state, index, sizeof(index), digest);
    memcpy(sum, digest, (size_t)keyed->size);
    for (long i = 1; i < iterations; i++) {
        state = keyed->inner;
        pbkdf2_finish(keyed, &state, digest, keyed->size, digest);
        for (int j = 0; j < keyed->size; j++)
            sum[j] ^= digest[j];
    }
}

/* _pbkdf2(digest_size, password, salt, iterations, dklen); the numbers have been checked. */
static PyObject *
pbkdf2(PyObject *module, PyObject *args)
{
    struct pbkdf2_keyed keyed;
    Py_buffer password, salt;
    int size;
    long iterations;
    Py_ssize_t dklen;

    (void)module;
    if (!PyArg_ParseTuple(args, "iy*y*ln", &size, &password, &salt, &iterations, &dklen))
        return NULL;
    PyObject *key = PyBytes_FromStringAndSize(NULL, dklen);
    if (key != NULL && size > 0 && size <= PBKDF2_DIGEST) {
        pbkdf2_key(&keyed, &password, size);
        for (Py_ssize_t at = 0; at < dklen; at += size) {
            unsigned char sum[PBKDF2_DIGEST];
            pbkdf2_block(&keyed, &salt, (uint32_t)(at / size + 1), iterations, sum);
            memcpy(PyBytes_AS_STRING(key) + at, sum, (size_t)Py_MIN(size, dklen - at));
        }
    }
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return key;
}

#define PBKDF2_METHOD                                                                              \
    {                                                                                              \
        "_pbkdf2", pbkdf2, METH_VARARGS, NULL                                                      \
    }

#endif
