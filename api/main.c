#include "api/commands.h"

int main(int argc, char **argv)
{
    return ht_main(argc, argv);
}
