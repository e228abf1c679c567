/*
 * The inside of scrypt (RFC 7914): ROMix over one block, in place. hashlib has scrypt from OpenSSL
 * natively; here lib/_kdf.py puts PBKDF2 around this.
 */
#include "Python.h"

#include <stdint.h>

#define SALSA_WORDS 16

static uint32_t
rotate(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

static void
quarter(uint32_t *x, int a, int b, int c, int d)
{
    x[b] ^= rotate(x[a] + x[d], 7);
    x[c] ^= rotate(x[b] + x[a], 9);
    x[d] ^= rotate(x[c] + x[b], 13);
    x[a] ^= rotate(x[d] + x[c], 18);
}

/* Salsa20/8 */
static void
salsa(uint32_t state[SALSA_WORDS])
{
    uint32_t x[SALSA_WORDS];

    memcpy(x, state, sizeof(x));
    for (int round = 0; round < 8; round += 2) {
        quarter(x, 0, 4, 8, 12);
        quarter(x, 5, 9, 13, 1);
        quarter(x, 10, 14, 2, 6);
        quarter(x, 15, 3, 7, 11);
        quarter(x, 0, 1, 2, 3);
        quarter(x, 5, 6, 7, 4);
        quarter(x, 10, 11, 8, 9);
        quarter(x, 15, 12, 13, 14);
    }
    for (int i = 0; i < SALSA_WORDS; i++)
        state[i] += x[i];
}

/* out = BlockMix(in), both of 2 * r Salsa blocks */
static void
block_mix(const uint32_t *in, uint32_t *out, size_t r)
{
    uint32_t x[SALSA_WORDS];

    memcpy(x, in + (2 * r - 1) * SALSA_WORDS, sizeof(x));
    for (size_t i = 0; i < 2 * r; i++) {
        for (int j = 0; j < SALSA_WORDS; j++)
            x[j] ^= in[i * SALSA_WORDS + j];
        salsa(x);
        memcpy(out + (i / 2 + (i & 1) * r) * SALSA_WORDS, x, sizeof(x));
    }
}

/* words: of a block; v holds n blocks, y one. */
static void
ro_mix(uint32_t *x, size_t r, uint32_t n, uint32_t *v, uint32_t *y)
{
    size_t words = 2 * r * SALSA_WORDS;

    for (uint32_t i = 0; i < n; i++) {
        memcpy(v + i * words, x, words * sizeof(*x));
        block_mix(v + i * words, x, r);
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *mixed = v + (x[(2 * r - 1) * SALSA_WORDS] & (n - 1)) * words;
        for (size_t j = 0; j < words; j++)
            y[j] = x[j] ^ mixed[j];
        block_mix(y, x, r);
    }
}

/* romix(block, n, r): block is a bytearray of 128 * r bytes, n a power of 2. The guest's words are
 * little-endian, as scrypt's are. */
static PyObject *
romix(PyObject *module, PyObject *args)
{
    Py_buffer block;
    unsigned long n, r;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*kk", &block, &n, &r))
        return NULL;
    size_t bytes = (size_t)r * 128;
    uint32_t *memory = NULL;
    if (r > 0 && n > 1 && n < SIZE_MAX / bytes - 2 && (size_t)block.len == bytes)
        memory = PyMem_RawMalloc((n + 2) * bytes);
    if (memory != NULL) {
        size_t words = bytes / sizeof(uint32_t);
        memcpy(memory, block.buf, bytes);
        ro_mix(memory, r, (uint32_t)n, memory + 2 * words, memory + words);
        memcpy(block.buf, memory, bytes);
        PyMem_RawFree(memory);
    }
    PyBuffer_Release(&block);
    if (memory == NULL)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"romix", romix, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_scrypt",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__scrypt(void)
{
    return PyModuleDef_Init(&definition);
}
