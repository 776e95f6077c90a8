#define _GNU_SOURCE
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kernel.h"
#include "seal.h"

#define PAGE 4096
/* Copied in all, so that a twin costs neither long nor much: at about 3 GB/s it is 20 ms. */
#define COPIED_MAX (64L << 20)
/* A path is at most so long; the kernel writes a line in one piece. */
#define LINE_MAX_BYTES (4096 + 256)
#define SHARED_MAX 4096
#define PATH_ROOM 256

typedef struct {
    uint64_t begin, end, offset, inode;
    int protection;
    int device; /* of hardware or a ring of the kernel's: it is not even read */
    char path[PATH_ROOM]; /* empty if it is longer */
} Map;

/* Called for each shared map; returns 0 to stop. */
typedef int (*Visit)(void *context, const Map *map);

static const char *
hexadecimal(const char *at, uint64_t *number)
{
    *number = 0;
    for (;; at++) {
        char c = *at;
        if (c >= '0' && c <= '9') {
            *number = *number * 16 + (uint64_t)(c - '0');
        }
        else if (c >= 'a' && c <= 'f') {
            *number = *number * 16 + (uint64_t)(c - 'a' + 10);
        }
        else {
            return at;
        }
    }
}

static int
begins(const char *text, const char *with)
{
    while (*with) {
        if (*text++ != *with++) {
            return 0;
        }
    }
    return 1;
}

/* 7f00-7f10 rw-s 00000000 00:05 1234   /dev/shm/x */
static int
parse(char *line, Map *map)
{
    uint64_t ignored;
    const char *at = hexadecimal(line, &map->begin);
    if (*at != '-') {
        return -1;
    }
    at = hexadecimal(at + 1, &map->end);
    if (*at++ != ' ' || !at[0] || !at[1] || !at[2] || !at[3] || map->end < map->begin) {
        return -1;
    }
    map->protection = (at[0] == 'r' ? PROT_READ : 0) | (at[1] == 'w' ? PROT_WRITE : 0) |
                      (at[2] == 'x' ? PROT_EXEC : 0);
    int shared = at[3] == 's';
    at = hexadecimal(at + 5, &map->offset);
    at += *at == ' ';
    at = hexadecimal(at, &ignored);
    at += *at == ':';
    at = hexadecimal(at, &ignored);
    at += *at == ' ';
    map->inode = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        map->inode = map->inode * 10 + (uint64_t)(*at - '0');
    }
    while (*at == ' ') {
        at++;
    }
    size_t length = strlen(at);
    map->path[0] = 0;
    if (length < sizeof map->path) {
        memcpy(map->path, at, length + 1);
    }
    map->device = begins(at, "anon_inode:") ||
                  (begins(at, "/dev/") && !begins(at, "/dev/shm/") && !begins(at, "/dev/zero") &&
                   !begins(at, "/dev/hugepages/"));
    return shared;
}

/* Go through the shared maps of this process; returns 0 at the end, -1 if that failed. */
static int
each_shared(char *room, size_t size, Visit visit, void *context)
{
    long file = kernel(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    size_t held = 0;
    int result = 0;
    int any = 0;
    for (;;) {
        long count = kernel(SYS_read, file, room + held, size - 1 - held);
        if (count == -EINTR) {
            continue;
        }
        if (count <= 0) {
            result = count < 0 || held || !any ? -1 : 0;
            break;
        }
        any = 1;
        held += (size_t)count;
        room[held] = 0;
        char *line = room;
        char *end;
        while ((end = memchr(line, '\n', held - (size_t)(line - room))) != NULL) {
            *end = 0;
            Map map;
            int shared = parse(line, &map);
            line = end + 1;
            if (shared < 0 || (shared && !visit(context, &map))) {
                result = shared < 0 ? -1 : 0;
                goto close;
            }
        }
        held -= (size_t)(line - room);
        memmove(room, line, held);
        if (held >= size - 1) {
            result = -1;
            break;
        }
    }
close:
    kernel(SYS_close, file);
    return result;
}

/* The copy's own: nothing of it is touched in the parent. */
static char lines[64 << 10];
static Map maps[SHARED_MAX];
static int map_count;
static uint64_t copied;

static int
collect(void *context, const Map *map)
{
    (void)context;
    seal_must(map_count < SHARED_MAX, FAILED_MAPS_MANY);
    maps[map_count++] = *map;
    return 1;
}

static uint64_t
length_of(const Map *map)
{
    return map->end - map->begin;
}

static long
fresh(uint64_t length)
{
    long made = kernel(SYS_mmap, 0, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    seal_must(made > 0, FAILED_MAPS_COPY);
    return made;
}

static void
put_in_place(long made, const Map *map, int protection)
{
    uint64_t length = length_of(map);
    seal_must(kernel(SYS_mprotect, made, length, protection) == 0, FAILED_MAPS_COPY);
    long placed = kernel(SYS_mremap, made, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
                         map->begin);
    seal_must((uint64_t)placed == map->begin, FAILED_MAPS_COPY);
}

/* The kernel copies: of a file that has become shorter than its map, the rest stays zero, where
   reading it ourselves would end the twin. Some sandboxes refuse the call. */
static void
copy_bytes(long made, const Map *map)
{
    long self = kernel(SYS_getpid);
    for (uint64_t done = 0; done < length_of(map);) {
        struct iovec to = {(char *)made + done, length_of(map) - done};
        struct iovec from = {(char *)map->begin + done, length_of(map) - done};
        long count = kernel(SYS_process_vm_readv, self, &to, 1, &from, 1, 0);
        if (count == -EPERM || count == -ENOSYS) {
            if (map->protection & PROT_READ) {
                memcpy(to.iov_base, from.iov_base, from.iov_len);
            }
            return;
        }
        done += count > 0 ? (uint64_t)count : PAGE - done % PAGE;
    }
}

/* The same file mapped once more, for reading only, if it still lies where it was. */
static int
map_again(const Map *map)
{
    if (map->path[0] != '/') {
        return 0;
    }
    long file = kernel(SYS_openat, AT_FDCWD, map->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return 0;
    }
    struct stat status;
    long made = -1;
    if (kernel(SYS_fstat, file, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_ino == map->inode) {
        made = kernel(SYS_mmap, map->begin, length_of(map), map->protection & ~PROT_WRITE,
                      MAP_SHARED | MAP_FIXED, file, map->offset);
    }
    kernel(SYS_close, file);
    return (uint64_t)made == map->begin;
}

/* Too large to be copied: it can be read from then on, and nothing in the twin can change that.
   What can neither be mapped again nor be locked by this kernel ends the twin. */
static void
only_read(const Map *map)
{
    if (!map_again(map)) {
        long length = (long)length_of(map);
        seal_must(kernel(SYS_mprotect, map->begin, length, map->protection & ~PROT_WRITE) == 0 &&
                      kernel(CALL_MSEAL, map->begin, length, 0) == 0,
                  FAILED_MAPS_LARGE);
    }
    seal_done.shared_readonly++;
}

static void
seal_one(const Map *map)
{
    uint64_t length = length_of(map);
    if (map->device) {
        put_in_place(fresh(length), map, PROT_NONE);
        seal_done.shared_closed++;
        return;
    }
    if (!(map->protection & PROT_WRITE) &&
        kernel(SYS_mprotect, map->begin, length, map->protection | PROT_WRITE) != 0) {
        return; /* of a file that was opened for reading: it can never be written */
    }
    if (copied + length > COPIED_MAX) {
        only_read(map);
        return;
    }
    copied += length;
    long made = fresh(length);
    copy_bytes(made, map);
    put_in_place(made, map, map->protection);
    seal_done.shared_copied++;
    seal_done.shared_bytes += (int64_t)length;
}

void
maps_seal(void)
{
    seal_must(each_shared(lines, sizeof lines, collect, NULL) == 0, FAILED_MAPS_READ);
    for (int index = 0; index < map_count; index++) {
        seal_one(&maps[index]);
    }
}

int64_t
maps_size(void)
{
    char text[64] = "";
    long file = kernel(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    long count = kernel(SYS_read, file, text, sizeof text - 1);
    kernel(SYS_close, file);
    int64_t pages = 0;
    for (const char *at = text; count > 0 && *at >= '0' && *at <= '9'; at++) {
        pages = pages * 10 + (*at - '0');
    }
    return pages > 0 ? pages * PAGE : -1;
}

typedef struct {
    int64_t bytes, limit;
} Sum;

static int
add(void *context, const Map *map)
{
    Sum *sum = context;
    if (map->protection & PROT_WRITE) {
        sum->bytes += (int64_t)length_of(map);
    }
    return sum->bytes < sum->limit;
}

int64_t
maps_shared_writable(int64_t limit)
{
    char room[2 * LINE_MAX_BYTES];
    Sum sum = {0, limit};
    return each_shared(room, sizeof room, add, &sum) == 0 ? sum.bytes : -1;
}
