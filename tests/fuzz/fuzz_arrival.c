/* What was learned of arrivals, as bytes: whatever is taken gives forecasts that are sound, and is
 * the same when it is saved and read again. */
#include <stdbool.h>
#include <stdlib.h>

#include "engine/live/arrival.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void forecast_look(const struct ht_arrival *arrival, uint64_t compound)
{
    const struct ht_arrival_stop stop = {compound, 90000};
    const struct ht_arrival_ask ask = {.now_ms = INT64_C(1772416800000),
                                       .travel_ms = 600000,
                                       .legs = 3,
                                       .stops = &stop,
                                       .stop_count = 1};
    struct ht_arrival_band band = ht_arrival_forecast(arrival, &ask);
    must(band.low_ms >= ask.now_ms && band.low_ms <= band.eta_ms && band.eta_ms <= band.high_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_arrival *arrival = NULL;
    struct ht_arrival *again = NULL;
    uint8_t *bytes = NULL;
    size_t length = 0;
    must(ht_arrival_new(64, &arrival) == HT_OK && ht_arrival_new(64, &again) == HT_OK);
    enum ht_status status = ht_arrival_load(arrival, data, size);
    must(status == HT_OK || status == HT_RANGE);
    forecast_look(arrival, 1);
    forecast_look(arrival, UINT64_C(0x0807060504030201));
    must(ht_arrival_save(arrival, &bytes, &length) == HT_OK);
    must(ht_arrival_load(again, bytes, length) == HT_OK);
    must(status != HT_OK || length <= size + 4 * HT_ARRIVAL_HORIZONS); /* version 1 grows */
    must(ht_arrival_served(again, 1, 60000, 90000) == HT_OK);
    forecast_look(again, 1);
    free(bytes);
    ht_arrival_free(again);
    ht_arrival_free(arrival);
    return 0;
}
