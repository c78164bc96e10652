/* Feeds the OSRM URL parser: the target up to the first line break, what follows as body. What it
 * accepts must hold together, what it refuses must carry an error. */
#include "api/osrm_parse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool empty_or(const struct ht_osrm_list *list, size_t count)
{
    return list->count == 0 || list->count == count;
}

static void check_pieces(const struct ht_osrm_request *request, const struct ht_osrm_list *list)
{
    const struct ht_osrm_piece *pieces = list->data;
    for (size_t i = 0; i < list->count; i++) {
        require(pieces[i].offset <= request->text.count &&
                pieces[i].size <= request->text.count - pieces[i].offset);
    }
}

static void check_indices(const struct ht_osrm_list *list, size_t count)
{
    const uint32_t *indices = list->data;
    for (size_t i = 0; i < list->count; i++) {
        require(indices[i] < count);
    }
}

static void check_request(const struct ht_osrm_request *request)
{
    size_t count = ht_osrm_point_count(request);
    if (request->service == HT_OSRM_TILE) {
        return;
    }
    require(count > 0 && count == request->coordinates.count);
    require(empty_or(&request->radiuses, count) && empty_or(&request->bearings, count) &&
            empty_or(&request->approaches, count) && empty_or(&request->hints, count) &&
            empty_or(&request->timestamps, count));
    const uint32_t *times = request->timestamps.data;
    for (size_t i = 1; i < request->timestamps.count; i++) {
        require(times[i] >= times[i - 1]);
    }
    check_pieces(request, &request->hints);
    check_pieces(request, &request->exclude);
    check_indices(&request->sources, count);
    check_indices(&request->destinations, count);
    check_indices(&request->waypoints, count);
    for (size_t i = 0; request->crs[0] == '\0' && i < count; i++) {
        require(ht_point_valid(ht_osrm_points(request)[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ht_osrm_request *request;
    static struct ht_reply reply;
    const struct ht_osrm_limits limits = {500, 10000, 10000, 100, 100, 100, 3};
    if (request == NULL && ht_osrm_request_new(&request) != HT_OK) {
        return 0;
    }
    const char *text = size == 0 ? "" : (const char *)data; /* libFuzzer begins with NULL */
    const char *line = size == 0 ? NULL : memchr(text, '\n', size);
    size_t target = line == NULL ? size : (size_t)(line - text);
    size_t body = line == NULL ? 0 : size - target - 1;
    ht_reply_reset(&reply);
    ht_osrm_request_reset(request);
    bool ok =
        ht_osrm_parse_target(request, text, target, line == NULL ? NULL : line + 1, body, &reply) &&
        ht_osrm_check(request, &limits, &reply);
    if (ok) {
        check_request(request);
    } else {
        require(reply.status == 400 && reply.body.size > 20);
    }
    return 0;
}
