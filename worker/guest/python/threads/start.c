/*
 * The program's start.
 *
 * A linker that finds no call of the constructors puts one into every exported function, and one of
 * the destructors after it: also into retort_fiber_main, which is no second start of the program.
 * So they are called here, and the function takes the place of main()'s caller (--wrap).
 */
#include <stdlib.h>

void __wasm_call_ctors(void);
int __real___original_main(void);
int __wrap___original_main(void);

int
__wrap___original_main(void)
{
    __wasm_call_ctors();
    exit(__real___original_main());
}
