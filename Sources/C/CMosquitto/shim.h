#include <mosquitto.h>
#include <mqtt_protocol.h>

// memfd_create(2), which <sys/mman.h> shows only where _GNU_SOURCE is defined before anything else is included.
extern int memfd_create(const char *name, unsigned int flags);
static const unsigned int memfd_close_on_exec = 1U;  // MFD_CLOEXEC
