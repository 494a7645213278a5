/* error.c: the thread-local message behind dm_error_message(). */
#include "deepmotif.h"
#include "deepmotif_support.h"

#include <string.h>

enum { capacity = 2048 };
static _Thread_local char message[capacity];

const char *dm_error_message(void) { return message; }

void dmi_error_set(const char *bytes, int64_t count) {
    int64_t kept = count < capacity - 1 ? count : capacity - 1;
    if (kept < count) {
        while (kept > 0 && ((unsigned char)bytes[kept] & 0xC0) == 0x80) kept--;
    }
    memcpy(message, bytes, (size_t)kept);
    message[kept] = 0;
}
