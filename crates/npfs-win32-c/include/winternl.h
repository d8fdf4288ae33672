/* For programs that include <winternl.h>: the part of it that npfs has. */
#include "npfs.h"
