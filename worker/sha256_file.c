#include "worker/sha256_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

_Static_assert(SHA256_HEX_SIZE == 2 * crypto_hash_sha256_BYTES + 1, "two digits a byte");

static int
hash_descriptor(int fd, unsigned char *hash)
{
    unsigned char buffer[65536];
    crypto_hash_sha256_state state;
    ssize_t got;

    crypto_hash_sha256_init(&state);
    while ((got = read(fd, buffer, sizeof(buffer))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        crypto_hash_sha256_update(&state, buffer, (unsigned long long)got);
    }
    crypto_hash_sha256_final(&state, hash);
    return 0;
}

int
sha256_file(const char *path, char *hex, struct err *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_CONFIG, errno, "cannot open %s", path);
    int result = hash_descriptor(fd, hash);
    int code = errno;
    close(fd);
    if (result < 0)
        return err_set(err, ERR_CONFIG, code, "cannot read %s", path);
    sodium_bin2hex(hex, SHA256_HEX_SIZE, hash, sizeof(hash));
    return 0;
}
