/* Counts what a process does to the files of one folder, and lets one of those operations fail, or the process die
   before it. For LD_PRELOAD, on Linux:

   FAULTS_UNDER  the folder; only its files count
   FAULTS_LOG    a letter per operation is appended to this file: o(pen to write), r(ead, list, ask), w(rite),
                 s(ync), n(ame), u(nlink), m(ake a folder), t(runcate), l(ock)
   FAULTS_AT     which operation, counted from 1
   FAULTS_KIND   kill, short (half of what was to be written), or the number of an error */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PASS, FAIL, SHORT };

static atomic_int operations;
static atomic_char watched[1 << 16];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_under(const char *path) {
    const char *folder = getenv("FAULTS_UNDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_watched(int fd) {
    return fd >= 0 && fd < (int)sizeof watched && watched[fd];
}

static void watch(int fd, int on) {
    if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = on;
}

/* What is to become of the next operation, which is of kind `letter`; errno is set where it is to fail. */
static int next(char letter) {
    int number = ++operations;
    const char *log = getenv("FAULTS_LOG"), *at = getenv("FAULTS_AT"), *kind = getenv("FAULTS_KIND");
    if (log) {
        int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        syscall(SYS_write, fd, &letter, 1);
        syscall(SYS_close, fd);
    }
    if (!at || !kind || atoi(at) != number) return PASS;
    if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(kind, "short") == 0) return SHORT;
    errno = atoi(kind);
    return FAIL;
}

#define OPEN(name)                                                                             \
    int name(const char *path, int flags, ...) {                                               \
        va_list rest;                                                                          \
        va_start(rest, flags);                                                                 \
        mode_t mode = va_arg(rest, mode_t);                                                    \
        va_end(rest);                                                                          \
        int ours = is_under(path);                                                             \
        if (ours && next(flags & (O_WRONLY | O_RDWR) ? 'o' : 'r') == FAIL) return -1;          \
        int fd = REAL(name)(path, flags, mode);                                                \
        watch(fd, ours);                                                                       \
        return fd;                                                                             \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    watch(fd, 0);
    return REAL(close)(fd);
}

ssize_t read(int fd, void *bytes, size_t count) {
    if (is_watched(fd) && next('r') == FAIL) return -1;
    return REAL(read)(fd, bytes, count);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    int what = is_watched(fd) ? next('w') : PASS;
    if (what == FAIL) return -1;
    return REAL(write)(fd, bytes, what == SHORT ? (count + 1) / 2 : count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    int what = is_watched(fd) ? next('w') : PASS;
    if (what == FAIL) return -1;
    return REAL(writev)(fd, parts, what == SHORT ? 1 : count);
}

#define ON_FILE(name, letter, parameters, arguments)                                           \
    int name parameters {                                                                      \
        if (is_watched(fd) && next(letter) == FAIL) return -1;                                 \
        return REAL(name) arguments;                                                           \
    }
ON_FILE(fsync, 's', (int fd), (fd))
ON_FILE(fdatasync, 's', (int fd), (fd))
ON_FILE(ftruncate, 't', (int fd, off_t length), (fd, length))
ON_FILE(ftruncate64, 't', (int fd, off64_t length), (fd, length))
ON_FILE(flock, 'l', (int fd, int how), (fd, how))

#define ON_PATH(name, letter, parameters, arguments)                                           \
    int name parameters {                                                                      \
        if (is_under(path) && next(letter) == FAIL) return -1;                                 \
        return REAL(name) arguments;                                                           \
    }
ON_PATH(rename, 'n', (const char *path, const char *to), (path, to))
ON_PATH(unlink, 'u', (const char *path), (path))
ON_PATH(rmdir, 'u', (const char *path), (path))
ON_PATH(mkdir, 'm', (const char *path, mode_t mode), (path, mode))
ON_PATH(statx, 'r', (int fd, const char *path, int flags, unsigned mask, struct statx *into),
        (fd, path, flags, mask, into))

DIR *opendir(const char *path) {
    if (is_under(path) && next('r') == FAIL) return NULL;
    return REAL(opendir)(path);
}

char *realpath(const char *path, char *resolved) {
    if (is_under(path) && next('r') == FAIL) return NULL;
    return REAL(realpath)(path, resolved);
}
