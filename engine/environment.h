/* The floating-point environment of a call: rounding to nearest, with denormals, without traps,
 * whatever the host has set in its thread, which finds it as it was. */
#ifndef R3_ENVIRONMENT_H
#define R3_ENVIRONMENT_H

#include <fenv.h>

static inline fenv_t enter(void)
{
    fenv_t before;
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    return before;
}

static inline void leave(fenv_t before) { fesetenv(&before); }

#endif
