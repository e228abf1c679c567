/* Prints the settings as the README shows them. For `make docs`. */
#include "common/config.h"

int
main(void)
{
    config_print_markdown(stdout);
    return 0;
}
