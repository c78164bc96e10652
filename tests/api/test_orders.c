#include "tests/support/check.h"
#include "tests/support/served.h"
HT_SERVED_MAIN()
