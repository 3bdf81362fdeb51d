/* Preloaded: makes calls on what lies under FAULTS_UNDER fail, as they do on file systems that a test cannot have.
 *
 * FAULTS is a list of NAME=NUMBER, each an error of errno.h:
 *   flock          with 0 for a lock that nobody else sees
 *   record_lock    of fcntl
 *   folder_fsync
 *   modes          of chmod and fchmod; a new file is for everybody
 *   nofollow       of an open with O_NOFOLLOW
 *   write
 * or a signal that comes just before a terminal is read:
 *   signal
 * FAULTS_GATE is a FIFO: a rename waits until its writer closes it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fault(const char *name)
{
    char wanted[64];
    const char *found = getenv("FAULTS");
    snprintf(wanted, sizeof wanted, "%s=", name);
    found = found ? strstr(found, wanted) : NULL;
    return found ? atoi(found + strlen(wanted)) : -1;
}

static int is_under(const char *path)
{
    const char *under = getenv("FAULTS_UNDER");
    return under && !strncmp(path, under, strlen(under));
}

static int is_open_under(int descriptor)
{
    char link[64], path[4096];
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return is_under(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(number) return errno = (number), -1

int flock(int descriptor, int operation)
{
    int number = fault("flock");
    if (number < 0 || !is_open_under(descriptor))
        return REAL(flock)(descriptor, operation);
    if (number == 0)
        return 0;
    FAIL(number);
}

int fcntl64(int descriptor, int command, ...)
{
    int number = fault("record_lock");
    void *argument;
    va_list more;
    va_start(more, command);
    argument = va_arg(more, void *);
    va_end(more);
    if (number > 0 && command == F_SETLK && is_open_under(descriptor))
        FAIL(number);
    return REAL(fcntl64)(descriptor, command, argument);
}

int fsync(int descriptor)
{
    struct stat status;
    int number = fault("folder_fsync");
    if (number > 0 && !fstat(descriptor, &status) && S_ISDIR(status.st_mode) && is_open_under(descriptor))
        FAIL(number);
    return REAL(fsync)(descriptor);
}

int fchmod(int descriptor, mode_t mode)
{
    int number = fault("modes");
    if (number > 0 && is_open_under(descriptor))
        FAIL(number);
    return REAL(fchmod)(descriptor, mode);
}

int chmod(const char *path, mode_t mode)
{
    int number = fault("modes");
    if (number > 0 && is_under(path))
        FAIL(number);
    return REAL(chmod)(path, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    int number = fault("write");
    if (number > 0 && is_open_under(descriptor))
        FAIL(number);
    return REAL(write)(descriptor, bytes, count);
}

ssize_t read(int descriptor, void *bytes, size_t count)
{
    int number = fault("signal");
    if (number > 0 && isatty(descriptor))
        raise(number);
    return REAL(read)(descriptor, bytes, count);
}

int rename(const char *from, const char *to)
{
    const char *gate = getenv("FAULTS_GATE");
    if (gate && is_under(to)) {
        char byte;
        int waits = open(gate, O_RDONLY);
        while (read(waits, &byte, 1) > 0) {
        }
        close(waits);
    }
    return REAL(rename)(from, to);
}

int open64(const char *path, int flags, ...)
{
    int descriptor;
    mode_t mode = 0;
    va_list more;
    va_start(more, flags);
    if (flags & O_CREAT)
        mode = va_arg(more, mode_t);
    va_end(more);
    if (flags & O_NOFOLLOW && fault("nofollow") > 0 && is_under(path))
        FAIL(fault("nofollow"));
    descriptor = REAL(open64)(path, flags, mode);
    if (descriptor >= 0 && flags & O_CREAT && fault("modes") > 0 && is_under(path))
        REAL(fchmod)(descriptor, 0755);
    return descriptor;
}
