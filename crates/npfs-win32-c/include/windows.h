/* For programs that include <windows.h>: the part of it that npfs has. */
#include "npfs.h"
