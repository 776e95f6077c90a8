#define _GNU_SOURCE
#include "refusals.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "files.h"
#include "kernel.h"
#include "names.h"
#include "seal.h"

#define PAGE 4096
#define FUTEX_WAIT_PRIVATE 128

static Refusal table[REFUSALS_MAX];
static int used;
static long beyond;
static int locked;

/* Waiting for no time at a place in memory reads it, and is an error where that is impossible. */
static int
place_readable(uint64_t place)
{
    const int64_t none[2] = {0, 0};
    return kernel(SYS_futex, place & ~(uint64_t)3, FUTEX_WAIT_PRIVATE, 0, none) != -EFAULT;
}

int
refusals_readable(uint64_t place, uint64_t size)
{
    if (place == 0 || size == 0 || place + size < place) {
        return 0;
    }
    for (uint64_t at = place; at < place + size; at = (at | (PAGE - 1)) + 1) {
        if (!place_readable(at)) {
            return 0;
        }
    }
    return 1;
}

/* A path or another text of the twin's, as far as it can be read and has room. */
static char *
put_text(char *to, const char *end, uint64_t place)
{
    uint64_t known = 0; /* up to here it can be read */
    for (uint64_t at = place; to + 1 < end; at++) {
        if (at >= known) {
            if (!refusals_readable(at, 1)) {
                return kernel_text(to, end, at == place ? "?" : "");
            }
            known = (at | (PAGE - 1)) + 1;
        }
        char c = *(const char *)at;
        if (c == 0) {
            break;
        }
        *to++ = c;
    }
    *to = 0;
    return to;
}

static char *
put_number(char *to, const char *end, int64_t number)
{
    char digits[NUMBER_ROOM + 1];
    char *at = digits;
    if (number < 0) {
        *at++ = '-';
        number = -number;
    }
    kernel_decimal(at, (uint64_t)number);
    return kernel_text(to, end, digits);
}

static char *
put_hexadecimal(char *to, const char *end, uint64_t number)
{
    char digits[NUMBER_ROOM];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number & 15];
    } while (number >>= 4);
    to = kernel_text(to, end, "0x");
    while (count && to + 1 < end) {
        *to++ = digits[--count];
    }
    *to = 0;
    return to;
}

static char *
put_family(char *to, const char *end, int family)
{
    switch (family) {
    case AF_UNIX:
        return kernel_text(to, end, "AF_UNIX");
    case AF_INET:
        return kernel_text(to, end, "AF_INET");
    case AF_INET6:
        return kernel_text(to, end, "AF_INET6");
    case AF_NETLINK:
        return kernel_text(to, end, "AF_NETLINK");
    default:
        return put_number(kernel_text(to, end, "family "), end, family);
    }
}

/* The family, and where to, of the two kinds that can be said in few bytes. */
static char *
put_address(char *to, const char *end, uint64_t place, uint64_t size)
{
    if (size < 2 || size > 128 || !refusals_readable(place, size)) {
        return kernel_text(to, end, "?");
    }
    const uint8_t *bytes = (const uint8_t *)place;
    int family = bytes[0] | bytes[1] << 8;
    to = put_family(to, end, family);
    if (family == AF_INET && size >= 8) {
        for (int index = 4; index < 8; index++) {
            to = put_number(kernel_text(to, end, index == 4 ? " " : "."), end, bytes[index]);
        }
        return put_number(kernel_text(to, end, ":"), end, bytes[2] << 8 | bytes[3]);
    }
    if (family == AF_UNIX && size > 3) {
        to = kernel_text(to, end, bytes[2] ? " " : " @");
        for (uint64_t index = bytes[2] ? 2 : 3; index < size && bytes[index]; index++) {
            if (to + 1 < end) {
                *to++ = (char)bytes[index];
            }
        }
        *to = 0;
    }
    return to;
}

/* The path of a file, or what it was that now leads nowhere. */
static void
put_descriptor(char *to, const char *end, int number)
{
    char link[40], path[DETAIL_ROOM];
    long mode = kernel(SYS_fcntl, number, F_GETFL, 0);
    const char *kind = mode >= 0 && mode & O_PATH ? files_kind(number) : NULL;
    if (kind != NULL) {
        kernel_text(to, end, kind);
        return;
    }
    kernel_descriptor_path(link, number);
    long size = kernel6(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, sizeof path - 1, 0,
                        (long)seal_cookie);
    if (size <= 0) {
        put_number(to, end, number);
        return;
    }
    path[size] = 0;
    kernel_text(to, end, path);
}

static void
describe(char *to, const char *end, const Name *name, const uint64_t *arguments)
{
    uint64_t first = arguments[name->argument];
    uint64_t second = name->argument < 5 ? arguments[name->argument + 1] : 0;
    switch (name->detail) {
    case DETAIL_NONE:
        break;
    case DETAIL_DESCRIPTOR:
        put_descriptor(to, end, (int)arguments[0]);
        break;
    case DETAIL_TEXT:
        put_text(to, end, first);
        break;
    case DETAIL_TWO_TEXTS:
        to = put_text(to, end, first);
        put_text(kernel_text(to, end, " "), end, arguments[name->other]);
        break;
    case DETAIL_NUMBER:
        put_number(to, end, (int)first);
        break;
    case DETAIL_HEXADECIMAL:
        put_hexadecimal(to, end, first);
        break;
    case DETAIL_FAMILY:
        put_family(to, end, (int)first);
        break;
    case DETAIL_ADDRESS:
        if (first == 0) { /* to whom it is connected */
            put_descriptor(to, end, (int)arguments[0]);
            break;
        }
        put_address(to, end, first, (uint32_t)second);
        break;
    case DETAIL_SIGNAL:
        to = put_number(kernel_text(to, end, "pid "), end, (int)first);
        put_number(kernel_text(to, end, " signal "), end, (int)arguments[name->other]);
        break;
    case DETAIL_CLONE:
        kernel_text(to, end, first & 0x10000 /* CLONE_THREAD */ ? "thread" : "process");
        break;
    }
}

static int
same(const char *one, const char *other)
{
    while (*one && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

static void
count(long number, const char *detail)
{
    for (int index = 0; index < used; index++) {
        if (table[index].number == number && same(table[index].detail, detail)) {
            table[index].count++;
            return;
        }
    }
    if (used == REFUSALS_MAX) {
        beyond++;
        return;
    }
    Refusal *entry = &table[used];
    entry->number = number;
    entry->count = 1;
    kernel_text(entry->detail, entry->detail + DETAIL_ROOM, detail);
    __atomic_store_n(&used, used + 1, __ATOMIC_RELEASE);
}

void
refusals_add(long number, const uint64_t arguments[6])
{
    char detail[DETAIL_ROOM] = "";
    const Name *name = name_of(number);
    if (name != NULL) {
        describe(detail, detail + DETAIL_ROOM, name, arguments);
    }
    while (__atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE)) {
        kernel(SYS_sched_yield);
    }
    count(number, detail);
    __atomic_store_n(&locked, 0, __ATOMIC_RELEASE);
}

void
refusals_clear(void)
{
    used = 0;
    beyond = 0;
    locked = 0;
}

int
refusals_count(void)
{
    return __atomic_load_n(&used, __ATOMIC_ACQUIRE);
}

const Refusal *
refusals_at(int index)
{
    return &table[index];
}

long
refusals_beyond(void)
{
    return beyond;
}

const char *
refusals_name(long number)
{
    const Name *name = name_of(number);
    return name != NULL ? name->text : NULL;
}
