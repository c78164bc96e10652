/* Feeds the address reader and the normalizer, whose result must not change when normalized again.
 */
#include <stdlib.h>
#include <string.h>

#include "geodata/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_address address;
    struct ht_text once = {0};
    struct ht_text twice = {0};
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    ht_address_parse(copy, size, &address);
    const struct ht_span spans[] = {
        address.province,  address.city,          address.district,  address.town,
        address.community, address.road,          address.lane.text, address.house.text,
        address.compound,  address.building.text, address.unit.text, address.floor.text,
        address.room.text, address.rest[0],       address.rest[1],   address.rest[2]};
    size_t sum = 0;
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        if (spans[i].begin > size || spans[i].size > size - spans[i].begin) {
            abort();
        }
        sum += spans[i].size;
    }
    ht_address_normalize(copy, size, &once);
    ht_address_normalize(ht_text_string(&once), once.size, &twice);
    if (sum > size || strcmp(ht_text_string(&once), ht_text_string(&twice)) != 0) {
        abort();
    }
    ht_text_deinit(&once);
    ht_text_deinit(&twice);
    free(copy);
    return 0;
}
