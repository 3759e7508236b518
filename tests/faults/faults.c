/* A disk that fails, for programs that are run with LD_PRELOAD=this.
 *
 * FAULT_ROOT   only what lies below this directory is concerned
 * FAULT_KIND   full: calls that need space fail with ENOSPC, from the FAULT_AT-th on
 *              io:   the FAULT_AT-th call that reads, writes or syncs fails with EIO
 *              short: every write takes only a part
 *              log:  nothing fails; what was written and what was synced goes to FAULT_LOG, and what a rename or
 *                    an unlink would lose is kept in FAULT_STASH, so that a power cut can be played afterwards
 * FAULT_COUNT  a file that gets the number of calls that could have failed
 *
 * The programs must go through libc: they are built with --cfg rustix_use_libc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls, stashed;
static const char *root, *kind;
static long at;
static int log_fd = -1;

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void start(void) {
    root = getenv("FAULT_ROOT");
    kind = getenv("FAULT_KIND");
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    if (!root || !kind) { root = NULL; return; }
    if (getenv("FAULT_LOG")) log_fd = open(getenv("FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void finish(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = root && path ? fopen(path, "a") : NULL;
    if (file) { fprintf(file, "%ld\n", (long)calls); fclose(file); }
}

static int below(const char *path) { return root && !strncmp(path, root, strlen(root)); }

/* The absolute path of a name, as the caller means it. */
static int absolute(int dir, const char *name, char out[PATH_MAX]) {
    char base[64];
    out[0] = 0;
    if (!root) return 0;
    if (name[0] == '/') { snprintf(out, PATH_MAX, "%s", name); return below(out); }
    if (dir == AT_FDCWD) snprintf(base, sizeof base, "/proc/self/cwd");
    else snprintf(base, sizeof base, "/proc/self/fd/%d", dir);
    ssize_t length = readlink(base, out, PATH_MAX - 1);
    if (length < 0) return 0;
    out[length] = 0;
    snprintf(out + length, PATH_MAX - length, "/%s", name);
    return below(out);
}

static int of_fd(int fd, char out[PATH_MAX]) {
    char base[64];
    out[0] = 0;
    if (!root) return 0;
    snprintf(base, sizeof base, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(base, out, PATH_MAX - 1);
    if (length < 0) return 0;
    out[length] = 0;
    return below(out);
}

/* Whether this call fails, with errno set. `space`: it needs space on the disk. */
static int fails(int space) {
    if (!strcmp(kind, "full") && space && ++calls >= at && at > 0) { errno = ENOSPC; return 1; }
    if (!strcmp(kind, "io") && ++calls == at) { errno = EIO; return 1; }
    return 0;
}

static void note(const char *format, ...) {
    if (log_fd < 0) return;
    char line[3 * PATH_MAX];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    REAL(write);
    if (length > 0 && real(log_fd, line, length) < 0) abort();
}

static unsigned long inode(int fd) { struct stat s; return fstat(fd, &s) ? 0 : s.st_ino; }

static unsigned long inode_at(const char *path) { struct stat s; return lstat(path, &s) ? 0 : s.st_ino; }

/* Keeps what a path holds under a number, before it is replaced or removed. */
static long stash(const char *path) {
    const char *place = getenv("FAULT_STASH");
    struct stat s;
    if (!place || lstat(path, &s) || !S_ISREG(s.st_mode)) return 0;
    long number = getpid() * 1000000L + ++stashed;
    char kept[PATH_MAX];
    snprintf(kept, sizeof kept, "%s/%ld", place, number);
    REAL(linkat);
    return real(AT_FDCWD, path, AT_FDCWD, kept, 0) ? 0 : number;
}

static size_t part(size_t length) { return root && !strcmp(kind, "short") && length > 1 ? (length + 1) / 2 : length; }

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(write);
    char path[PATH_MAX];
    if (!of_fd(fd, path)) return real(fd, bytes, length);
    if (fails(1)) return -1;
    ssize_t written = real(fd, bytes, part(length));
    if (log_fd >= 0) note("write %lu\n", inode(fd));
    return written;
}

ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t length, unsigned flags) {
    REAL(copy_file_range);
    char path[PATH_MAX];
    if (!of_fd(out, path)) return real(in, from, out, to, length, flags);
    if (fails(1)) return -1;
    ssize_t copied = real(in, from, out, to, part(length), flags);
    if (log_fd >= 0) note("write %lu\n", inode(out));
    return copied;
}

ssize_t read(int fd, void *bytes, size_t length) {
    REAL(read);
    char path[PATH_MAX];
    if (!of_fd(fd, path)) return real(fd, bytes, length);
    return fails(0) ? -1 : real(fd, bytes, length);
}

static int synced(int fd, int (*real)(int), const char *what) {
    char path[PATH_MAX];
    if (!of_fd(fd, path)) return real(fd);
    if (fails(0)) return -1;
    int result = real(fd);
    if (log_fd >= 0 && !result) note("%s %lu %s\n", what, inode(fd), path);
    return result;
}

int fsync(int fd) { REAL(fsync); return synced(fd, real, "sync"); }
int fdatasync(int fd) { REAL(fdatasync); return synced(fd, real, "sync"); }
int syncfs(int fd) { REAL(syncfs); return synced(fd, real, "syncall"); }

static int opened(int dir, const char *name, int flags, mode_t mode, int (*real)(int, const char *, int, ...)) {
    char path[PATH_MAX];
    if ((flags & O_CREAT) && absolute(dir, name, path) && fails(1)) return -1;
    return real(dir, name, flags, mode);
}

#define MODE va_list list; va_start(list, flags); mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; va_end(list)

int openat(int dir, const char *name, int flags, ...) { REAL(openat); MODE; return opened(dir, name, flags, mode, real); }
int openat64(int dir, const char *name, int flags, ...) { REAL(openat64); MODE; return opened(dir, name, flags, mode, real); }
int open(const char *name, int flags, ...) { REAL(openat); MODE; return opened(AT_FDCWD, name, flags, mode, real); }
int open64(const char *name, int flags, ...) { REAL(openat64); MODE; return opened(AT_FDCWD, name, flags, mode, real); }

int mkdirat(int dir, const char *name, mode_t mode) {
    REAL(mkdirat);
    char path[PATH_MAX];
    if (absolute(dir, name, path) && fails(1)) return -1;
    return real(dir, name, mode);
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    REAL(renameat2);
    char source[PATH_MAX], target[PATH_MAX];
    absolute(from_dir, from, source);
    if (!absolute(to_dir, to, target)) return real(from_dir, from, to_dir, to, flags);
    if (fails(1)) return -1;
    long kept = log_fd >= 0 ? stash(target) : 0;
    int result = real(from_dir, from, to_dir, to, flags);
    if (log_fd >= 0 && !result) note("rename %lu %ld %s\t%s\n", inode_at(target), kept, source, target);
    return result;
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat2(from_dir, from, to_dir, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    REAL(linkat);
    char target[PATH_MAX];
    if (absolute(to_dir, to, target) && fails(1)) return -1;
    return real(from_dir, from, to_dir, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int dir, const char *name, int flags) {
    REAL(unlinkat);
    char path[PATH_MAX];
    if (!absolute(dir, name, path) || log_fd < 0 || flags) return real(dir, name, flags);
    long kept = stash(path);
    int result = real(dir, name, flags);
    if (!result && kept) note("unlink %ld %s\n", kept, path);
    return result;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
