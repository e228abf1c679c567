"""Key derivation for hashlib, which has it from OpenSSL natively.

The common hash functions have PBKDF2 in C beside them (modules/pbkdf2.h), scrypt its memory-hard
part (modules/_scryptmodule.c). Arguments are checked as OpenSSL's functions check them.
"""
__all__ = ["pbkdf2_hmac", "scrypt"]

_IN_C = {"md5": ("_md5", 16), "sha1": ("_sha1", 20), "sha224": ("_sha256", 28),
         "sha256": ("_sha256", 32), "sha384": ("_sha512", 48), "sha512": ("_sha512", 64)}
_INT_MAX = 2 ** 31 - 1
_DEFAULT_MAXMEM = 32 << 20


def _in_python(name, password, salt, iterations, dklen):
    import hmac
    keyed = hmac.new(password, digestmod=name)
    key = b""
    while len(key) < dklen:
        step = keyed.copy()
        step.update(salt + (len(key) // keyed.digest_size + 1).to_bytes(4))
        digest = step.digest()
        total = int.from_bytes(digest)
        for _ in range(iterations - 1):
            step = keyed.copy()
            step.update(digest)
            digest = step.digest()
            total ^= int.from_bytes(digest)
        key += total.to_bytes(keyed.digest_size)
    return key[:dklen]


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function."""
    if not isinstance(hash_name, str):
        raise TypeError("pbkdf2_hmac() argument 'hash_name' must be str, "
                        f"not {type(hash_name).__name__}")
    password, salt = bytes(memoryview(password)), bytes(memoryview(salt))
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if iterations > _INT_MAX:
        raise OverflowError("iteration value is too great.")
    import hashlib
    name = hash_name.lower().replace("-", "_")
    name = {"sha_1": "sha1", "sha_224": "sha224", "sha_256": "sha256", "sha_384": "sha384",
            "sha_512": "sha512"}.get(name, name)
    try:
        size = hashlib.new(name).digest_size
    except ValueError:
        size = 0
    if not size:
        raise ValueError(f"unsupported hash type {hash_name}")
    if dklen is None:
        dklen = size
    if dklen < 1:
        raise ValueError("key length must be greater than 0.")
    if dklen > _INT_MAX:
        raise OverflowError("key length is too great.")
    if name in _IN_C:
        module, size = _IN_C[name]
        return __import__(module)._pbkdf2(size, password, salt, iterations, dklen)
    return _in_python(name, password, salt, iterations, dklen)


def _unsigned(value, name):
    if value is not None and not isinstance(value, int):
        raise TypeError(f"scrypt() argument '{name}' must be int, not {type(value).__name__}")
    if value is None or value < 0:
        raise TypeError(f"{name} is required and must be an unsigned int")
    return value


def scrypt(password, *, salt=None, n=None, r=None, p=None, maxmem=0, dklen=64):
    """scrypt password-based key derivation function."""
    password = bytes(memoryview(password))
    if salt is None:
        raise TypeError("salt is required")
    salt = bytes(memoryview(salt))
    n = _unsigned(n, "n")
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2.")
    r, p = _unsigned(r, "r"), _unsigned(p, "p")
    if not 0 <= maxmem <= _INT_MAX:
        raise ValueError(f"maxmem must be positive and smaller than {_INT_MAX}")
    if not 1 <= dklen <= _INT_MAX:
        raise ValueError(f"dklen must be greater than 0 and smaller than {_INT_MAX}")
    if not r or not p or r * p >= 1 << 30 or n.bit_length() > 16 * r:
        raise ValueError("Invalid parameter combination for n, r, p, maxmem.")
    if 128 * r * (n + p + 2) > (maxmem or _DEFAULT_MAXMEM):
        raise ValueError("[digital envelope routines] memory limit exceeded")
    import _scrypt
    size = 128 * r
    blocks = pbkdf2_hmac("sha256", password, salt, 1, p * size)
    mixed = []
    for at in range(0, len(blocks), size):
        block = bytearray(blocks[at:at + size])
        _scrypt.romix(block, n, r)
        mixed.append(bytes(block))
    return pbkdf2_hmac("sha256", password, b"".join(mixed), 1, dklen)
