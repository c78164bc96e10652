/* Two hundred clients at once, of every role, that mix every call of the API with broken ones:
 * each answer is one that the call may have, what was made can be read, no change of two officers
 * is lost, and the server ends when asked to, with no report of a sanitizer. The calls are held
 * against /openapi.json: one that nobody makes here is a failure. */
#include <pthread.h>
#include <stdatomic.h>
#include <yajl/yajl_tree.h>

#include "api/routes.h"
#include "tests/support/check.h"
#include "tests/support/served.h"

#define GEO "application/geo+json"
#define JSON "application/json"
#define MERGE "application/merge-patch+json"
#define LINES "application/x-ndjson"
#define HOMES "/collections/households/items"
#define ITEMS_PATH "/collections/{collection}/items"
#define ITEM_PATH "/collections/{collection}/items/{id}"
#define HOME(properties)                                                                           \
    "{\"type\":\"Feature\",\"id\":\"{own}\",\"geometry\":{\"type\":\"Point\",\"coordinates\":"     \
    "[{lon},{lat}]},\"properties\":" properties "}"
#define CELL(ring)                                                                                 \
    "{\"type\":\"Feature\",\"id\":\"cell{few}\",\"geometry\":{\"type\":\"Polygon\","               \
    "\"coordinates\":[" ring "]},\"properties\":{\"kind\":\"grid\"}}"

enum { CLIENTS = 200, OWN_MOST = 4096, SHARED = 8, UNITS = 12, CALLS_CI = 60, CALLS_LONG = 2000 };

/* What a call does to the caller's own items. WATCH goes on without end, on a connection of its
 * own, and is broken off. RARE and SWAP are heavy: one of few does them, and
 * one of the clients alone. */
enum kind { PLAIN, MAKE, PUT, PATCH, DROP, LOOK, SHARE, WATCH, RARE, SWAP };

/* In target and body, {own} is the id of the caller's item, {value} what is put into it, {shared}
 * and {unit} any of those, {lon} and {lat} a place in town, {few} a number up to 9, {map} the file
 * of the map. */
struct call {
    const char *method;
    const char *path; /* as /openapi.json has it */
    const char *target;
    const char *type;
    const char *body;
    enum kind kind;
    int want[6]; /* any of these, where the caller's role may do it */
};

static const struct call calls[] = {
    {"GET", "/", "/", NULL, NULL, PLAIN, {200}},
    {"GET",
     "/tiles/{layer}/{z}/{x}/{y}.mvt",
     "/tiles/streets/15/2746{few}/13525.mvt",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET",
     "/tiles/{layer}/{z}/{x}/{y}.mvt",
     "/tiles/households/15/27460/1352{few}.mvt?frail=true",
     NULL,
     NULL,
     PLAIN,
     {200, 403}},
    {"GET",
     "/tiles/{layer}/{z}/{x}/{y}.mvt",
     "/tiles/cells/14/13730/676{few}.mvt",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET", "/tiles/{layer}/{z}/{x}/{y}.mvt", "/tiles/units/1/0/0.mvt", NULL, NULL, PLAIN, {404}},
    {"GET", "/console/{file}", "/console/none-{few}.js", NULL, NULL, PLAIN, {404}},
    {"GET", "/healthz", "/healthz", NULL, NULL, PLAIN, {200}},
    {"GET", "/readyz", "/readyz", NULL, NULL, PLAIN, {200}},
    {"GET", "/metrics", "/metrics", NULL, NULL, PLAIN, {200}},
    {"GET", "/openapi.json", "/openapi.json", NULL, NULL, PLAIN, {200}},
    {"GET", "/conformance", "/conformance", NULL, NULL, PLAIN, {200}},
    {"GET", "/collections", "/collections", NULL, NULL, PLAIN, {200}},
    {"GET", "/collections/{collection}", "/collections/zones", NULL, NULL, PLAIN, {200}},
    {"GET", "/collections/{collection}", "/collections/none", NULL, NULL, PLAIN, {404}},
    {"GET", ITEMS_PATH, HOMES "?limit={few}0&offset={few}", NULL, NULL, PLAIN, {200, 400}},
    {"GET", ITEMS_PATH, HOMES "?bbox=121.70,29.94,{lon},{lat}&limit=5", NULL, NULL, PLAIN, {200}},
    {"GET", ITEMS_PATH, HOMES "?residents={few}&limit=3", NULL, NULL, PLAIN, {200}},
    {"GET", ITEMS_PATH, "/collections/units/items?crs=GCJ02", NULL, NULL, PLAIN, {200}},
    {"GET", ITEMS_PATH, "/collections/units/items?bbox=1,2", NULL, NULL, PLAIN, {400}},
    {"GET", ITEM_PATH, "/collections/units/items/{unit}", NULL, NULL, PLAIN, {200}},
    {"POST", ITEMS_PATH, HOMES, GEO, HOME("{\"residents\":{value},\"name\":\"王\"}"), MAKE, {201}},
    {"GET", ITEM_PATH, HOMES "/{own}", NULL, NULL, LOOK, {200}},
    {"POST", ITEMS_PATH, HOMES, GEO, "{\"type\":\"Feature\",", PLAIN, {400}},
    {"POST", ITEMS_PATH, HOMES, "text/plain", "x", PLAIN, {415}},
    {"POST", ITEMS_PATH, HOMES, "text/csv", "id,lon,lat\na,{lon},{lat}\na,{lon},x\n", PLAIN, {400}},
    {"POST", ITEMS_PATH, HOMES, LINES, HOME("{}") "\n" HOME("{}") "\n", PLAIN, {409}},
    {"POST",
     ITEMS_PATH,
     "/collections/cells/items",
     GEO,
     CELL("[[121.7,29.9],[{lon},{lat}],[{lon},29.9],[121.7,{lat}],[121.7,29.9]]"),
     RARE,
     {201, 409, 422}},
    {"PUT",
     ITEM_PATH,
     "/collections/cells/items/cell{few}",
     GEO,
     "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[121.7,29.9],"
     "[{lon},29.9],[{lon},{lat}],[121.7,{lat}],[121.7,29.9]]]},\"properties\":{\"kind\":\"grid\"}}",
     RARE,
     {200, 201}},
    {"DELETE", ITEM_PATH, "/collections/cells/items/cell{few}", NULL, NULL, RARE, {204, 404}},
    {"PUT", ITEM_PATH, HOMES "/{own}", GEO, HOME("{\"residents\":{value}}"), PUT, {200}},
    {"PATCH",
     ITEM_PATH,
     HOMES "/{own}",
     MERGE,
     "{\"properties\":{\"residents\":{value}}}",
     PATCH,
     {200}},
    {"PATCH", ITEM_PATH, HOMES "/none", MERGE, "{\"properties\":{}}", PLAIN, {404}},
    {"PATCH",
     ITEM_PATH,
     HOMES "/{shared}",
     MERGE,
     "{\"properties\":{\"residents\":{value}}}",
     SHARE,
     {200, 412}},
    {"DELETE", ITEM_PATH, HOMES "/{own}", NULL, NULL, DROP, {204}},
    {"POST",
     "/v1/positions",
     "/v1/positions",
     JSON,
     "[{\"unit\":\"{unit}\",\"lon\":{lon},\"lat\":{lat}},{\"unit\":\"nobody\",\"lon\":1,\"lat\":2}"
     "]",
     PLAIN,
     {200}},
    {"POST",
     "/v1/positions",
     "/v1/positions?crs=GCJ02",
     LINES,
     "{\"unit\":\"{unit}\",\"lon\":{lon},\"lat\":{lat}}\n{\"unit\":\"{unit}\",\"lon\":0,\"lat\":0}"
     "\n",
     PLAIN,
     {200}},
    {"POST", "/v1/positions", "/v1/positions", JSON, "[{\"unit\":", PLAIN, {400}},
    {"GET",
     "/osmand",
     "/osmand?id=van1&lat={lat}&lon={lon}&speed=3",
     NULL,
     NULL,
     PLAIN,
     {200, 400}},
    {"POST", "/osmand", "/osmand?id=van1&lat={lat}&lon={lon}", NULL, NULL, PLAIN, {200, 400}},
    {"GET",
     "/v1/near",
     "/v1/near?collection=units&lon={lon}&lat={lat}&k=5",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET",
     "/v1/near",
     "/v1/near?collection=households&lon={lon}&lat={lat}&k=3&radius_m=500",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET",
     "/v1/closest",
     "/v1/closest?lon={lon}&lat={lat}&k=3&geometry=1",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET", "/v1/closest", "/v1/closest?lon=x&lat={lat}", NULL, NULL, PLAIN, {400}},
    {"POST",
     "/v1/closest",
     "/v1/closest",
     JSON,
     "{\"points\":[[{lon},{lat}],[{lon},{lat}]],\"k\":2}",
     PLAIN,
     {200}},
    {"GET", "/v1/units/{id}/track", "/v1/units/{unit}/track", NULL, NULL, PLAIN, {200}},
    {"DELETE", "/v1/units/{id}/track", "/v1/units/nobody/track", NULL, NULL, RARE, {204, 404}},
    {"GET", "/v1/search", "/v1/search?q=c{few}-{few}", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/search", "/v1/search?q=%E7%8E%8B&lon={lon}&lat={lat}", NULL, NULL, PLAIN, {200}},
    {"POST",
     "/v1/assign",
     "/v1/assign",
     JSON,
     "{\"tasks\":[{\"id\":\"a\",\"lon\":{lon},\"lat\":{lat}}],\"units\":{\"kind\":\"van\"}}",
     PLAIN,
     {200}},
    {"POST", "/v1/assign", "/v1/assign", JSON, "{\"tasks\":7}", PLAIN, {400, 422}},
    {"POST",
     "/v1/optimize",
     "/v1/optimize",
     JSON,
     "{\"vehicles\":[{\"id\":1,\"start\":[{lon},{lat}]}],\"jobs\":[{\"id\":1,\"location\":[{lon},"
     "{lat}]}],\"options\":{\"iterations\":20}}",
     PLAIN,
     {200, 503}},
    {"POST", "/v1/optimize", "/v1/optimize", JSON, "{\"vehicles\":7}", PLAIN, {400}},
    {"GET",
     "/v1/isochrone",
     "/v1/isochrone?lon={lon}&lat={lat}&profile=car&max_s=60",
     NULL,
     NULL,
     PLAIN,
     {200, 422}},
    {"GET", "/v1/isochrone", "/v1/isochrone?lon={lon}", NULL, NULL, PLAIN, {400}},
    {"GET",
     "/v1/coverage",
     "/v1/coverage?kind=van&max_s={few}1&limit={few}",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET", "/v1/coverage", "/v1/coverage?max_s=never", NULL, NULL, PLAIN, {400}},
    {"POST",
     "/v1/coverage/moves",
     "/v1/coverage/moves",
     JSON,
     "{\"kind\":\"van\",\"max_s\":1{few},\"moves\":2,\"candidates\":[{\"id\":\"a\",\"lon\":{lon},"
     "\"lat\":{lat}}],\"corners\":{few}}",
     PLAIN,
     {200}},
    {"POST", "/v1/coverage/moves", "/v1/coverage/moves", JSON, "{\"moves\":", PLAIN, {400}},
    {"POST",
     "/v1/traffic",
     "/v1/traffic",
     JSON,
     "[{\"osm_from\":10000{few}500,\"osm_to\":10000{few}501,\"closed\":false}]",
     PLAIN,
     {200}},
    {"POST", "/v1/traffic", "/v1/traffic", "text/csv", "1,2,x\n", PLAIN, {400}},
    {"GET", "/v1/speeds", "/v1/speeds", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/settings", "/v1/settings", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/settings/{name}", "/v1/settings/live", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/settings/{name}", "/v1/settings/none", NULL, NULL, PLAIN, {404}},
    {"PUT", "/v1/settings/{name}", "/v1/settings/live", JSON, "{\"stale_s\":120}", RARE, {200}},
    {"PUT", "/v1/settings/{name}", "/v1/settings/live", JSON, "{\"stale_s\":-1}", PLAIN, {422}},
    {"GET", "/v1/settings/{name}", "/v1/settings/incidents", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/settings/{name}/history", "/v1/settings/live/history", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/settings/{name}/history", "/v1/settings/none/history", NULL, NULL, PLAIN, {404}},
    {"PUT", "/v1/settings/{name}", "/v1/settings/calendar", JSON, "{\"x\":1}", PLAIN, {422}},
    {"PUT",
     "/v1/settings/{name}",
     "/v1/settings/regimes",
     JSON,
     "{\"drill\":{\"duties\":{\"van1\":{\"status\":\"idle\"}},\"answers\":{\"*\":{\"district\":"
     "\"hq\"}},\"settings\":{\"incidents\":{\"coverage_s\":30}}}}",
     RARE,
     {200}},
    {"GET", "/v1/regimes", "/v1/regimes", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/regimes/{name}", "/v1/regimes/drill", NULL, NULL, PLAIN, {200, 404}},
    {"POST", "/v1/regimes/{name}", "/v1/regimes/drill", JSON, "{\"on\":true}", RARE, {200, 404}},
    {"POST", "/v1/regimes/{name}", "/v1/regimes/drill", JSON, "{\"on\":false}", RARE, {200, 404}},
    {"POST", "/v1/regimes/{name}", "/v1/regimes/drill", JSON, "{\"on\":7}", PLAIN, {400}},
    {"POST",
     "/v1/incidents",
     "/v1/incidents",
     JSON,
     "{\"kind\":\"sos\",\"lon\":{lon},\"lat\":{lat}}",
     PLAIN,
     {201, 403}},
    {"POST",
     "/v1/incidents",
     "/v1/incidents",
     JSON,
     "{\"kind\":\"sos\",\"household\":\"none\"}",
     PLAIN,
     {422, 403}},
    {"POST", "/v1/incidents", "/v1/incidents", JSON, "{\"kind\":", PLAIN, {400}},
    {"GET",
     "/v1/incidents",
     "/v1/incidents?state=queued,assigned&limit=5",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET", "/v1/incidents", "/v1/incidents?state=lost", NULL, NULL, PLAIN, {400}},
    {"GET", "/v1/incidents/report", "/v1/incidents/report", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/incidents/{id}", "/v1/incidents/i{few}", NULL, NULL, PLAIN, {200, 404}},
    {"GET",
     "/v1/incidents/{id}/history",
     "/v1/incidents/i{few}/history",
     NULL,
     NULL,
     PLAIN,
     {200, 404}},
    {"POST",
     "/v1/incidents/{id}/events",
     "/v1/incidents/i{few}/events",
     JSON,
     "{\"event\":\"ack\",\"note\":\"n\"}",
     PLAIN,
     {200, 403, 404, 409}},
    {"POST",
     "/v1/incidents/{id}/events",
     "/v1/incidents/i{few}/events",
     JSON,
     "{\"event\":\"x\"}",
     PLAIN,
     {422}},
    {"DELETE",
     "/v1/incidents/{id}/personal",
     "/v1/incidents/i{few}/personal",
     NULL,
     NULL,
     PLAIN,
     {204, 404, 409}},
    {"POST",
     "/v1/orders",
     "/v1/orders",
     JSON,
     "{\"id\":\"o{few}\",\"lon\":{lon},\"lat\":{lat},\"kitchen\":\"kitchen-1\",\"load\":[{few}],"
     "\"due\":[\"2090-03-02T11:00:00Z\",\"2090-03-02T12:00:00Z\"],\"note\":\"n\"}",
     PLAIN,
     {201, 403, 409, 422}},
    {"POST", "/v1/orders", "/v1/orders", JSON, "{\"kitchen\":", PLAIN, {400}},
    {"GET",
     "/v1/orders",
     "/v1/orders?state=received,failed&limit={few}0",
     NULL,
     NULL,
     PLAIN,
     {200, 400}},
    {"GET", "/v1/orders", "/v1/orders?due=x", NULL, NULL, PLAIN, {400}},
    {"GET", "/v1/orders/{id}", "/v1/orders/o{few}", NULL, NULL, PLAIN, {200, 404}},
    {"GET", "/v1/orders/{id}/history", "/v1/orders/o{few}/history", NULL, NULL, PLAIN, {200, 404}},
    {"POST",
     "/v1/orders/{id}/events",
     "/v1/orders/o{few}/events",
     JSON,
     "{\"event\":\"plan\",\"unit\":\"{unit}\",\"sequence\":{few}}",
     PLAIN,
     {200, 403, 404, 409}},
    {"POST",
     "/v1/orders/{id}/events",
     "/v1/orders/o{few}/events",
     JSON,
     "{\"event\":\"reopen\"}",
     PLAIN,
     {200, 403, 404, 409}},
    {"POST",
     "/v1/orders/{id}/events",
     "/v1/orders/o{few}/events",
     JSON,
     "{\"event\":\"cancel\",\"note\":\"n\"}",
     PLAIN,
     {200, 403, 404, 409}},
    {"DELETE",
     "/v1/orders/{id}/personal",
     "/v1/orders/o{few}/personal",
     NULL,
     NULL,
     PLAIN,
     {204, 404, 409}},
    {"GET", "/v1/events", "/v1/events?format=csv&limit={few}0", NULL, NULL, PLAIN, {200, 400, 403}},
    {"GET", "/v1/events", "/v1/events?limit=0", NULL, NULL, PLAIN, {400, 403}},
    {"POST",
     "/v1/visits",
     "/v1/visits",
     JSON,
     "{\"id\":\"v{few}\",\"site\":\"kitchen-1\",\"inspector\":\"{unit}\"}",
     PLAIN,
     {201, 403, 409, 422}},
    {"POST", "/v1/visits", "/v1/visits", JSON, "{\"site\":", PLAIN, {400}},
    {"GET",
     "/v1/visits",
     "/v1/visits?state=planned,done&limit={few}0",
     NULL,
     NULL,
     PLAIN,
     {200, 400}},
    {"GET", "/v1/visits/{id}", "/v1/visits/v{few}", NULL, NULL, PLAIN, {200, 404}},
    {"GET", "/v1/visits/{id}/history", "/v1/visits/v{few}/history", NULL, NULL, PLAIN, {200, 404}},
    {"POST",
     "/v1/visits/{id}/events",
     "/v1/visits/v{few}/events",
     JSON,
     "{\"event\":\"promise\"}",
     PLAIN,
     {200, 403, 404, 409}},
    {"POST",
     "/v1/visits/{id}/result",
     "/v1/visits/v{few}/result",
     JSON,
     "{\"outcome\":\"rectify\",\"reason\":\"r\",\"hazards\":[{\"text\":\"h{few}\",\"severity\":3}]"
     "}",
     PLAIN,
     {200, 403, 404, 409}},
    {"DELETE",
     "/v1/visits/{id}/personal",
     "/v1/visits/v{few}/personal",
     NULL,
     NULL,
     PLAIN,
     {204, 404, 409}},
    {"GET",
     "/v1/rectifications",
     "/v1/rectifications?overdue=true&limit={few}0",
     NULL,
     NULL,
     PLAIN,
     {200, 400}},
    {"GET", "/v1/rectifications/sums", "/v1/rectifications/sums", NULL, NULL, PLAIN, {200, 403}},
    {"GET",
     "/v1/rectifications/wanted",
     "/v1/rectifications/wanted",
     NULL,
     NULL,
     PLAIN,
     {200, 403}},
    {"POST",
     "/v1/rectifications/checks",
     "/v1/rectifications/checks",
     JSON,
     "{\"seed\":{few},\"count\":3}",
     PLAIN,
     {201, 403}},
    {"GET", "/v1/rectifications/{id}", "/v1/rectifications/r{few}", NULL, NULL, PLAIN, {404}},
    {"GET",
     "/v1/rectifications/{id}/history",
     "/v1/rectifications/r{few}/history",
     NULL,
     NULL,
     PLAIN,
     {404}},
    {"GET",
     "/v1/rectifications/{id}/notice",
     "/v1/rectifications/r{few}/notice?lang=en",
     NULL,
     NULL,
     PLAIN,
     {404}},
    {"POST",
     "/v1/rectifications/{id}/events",
     "/v1/rectifications/r{few}/events",
     JSON,
     "{\"event\":\"close\",\"visit\":\"v{few}\"}",
     PLAIN,
     {403, 404}},
    {"DELETE",
     "/v1/rectifications/{id}/personal",
     "/v1/rectifications/r{few}/personal",
     NULL,
     NULL,
     PLAIN,
     {404}},
    {"GET", "/v1/units/{id}/plan", "/v1/units/{unit}/plan", NULL, NULL, PLAIN, {200, 404}},
    {"GET", "/v1/units/{id}/plan", "/v1/units/none/plan", NULL, NULL, PLAIN, {404}},
    {"POST",
     "/v1/units/{id}/events",
     "/v1/units/{unit}/events",
     JSON,
     "{\"event\":\"depart\"}",
     PLAIN,
     {200, 403, 404, 409}},
    {"GET", "/t/{token}", "/t/{few}", NULL, NULL, PLAIN, {404}},
    {"POST",
     "/v1/rounds",
     "/v1/rounds",
     JSON,
     "{\"id\":\"r{few}\",\"from\":\"2090-03-06\",\"weeks\":1,\"collection\":\"facilities\","
     "\"filter\":{\"kind\":\"kitchen\"},\"visits_per_week\":1,\"iterations\":10}",
     RARE,
     {201, 409, 422, 503}},
    {"POST", "/v1/rounds", "/v1/rounds", JSON, "{\"weeks\":", PLAIN, {400}},
    {"POST", "/v1/rounds", "/v1/rounds", JSON, "{\"weeks\":{few}0}", PLAIN, {400}},
    {"GET", "/v1/rounds", "/v1/rounds?limit=3", NULL, NULL, PLAIN, {200}},
    {"GET", "/v1/rounds/{id}", "/v1/rounds/r{few}", NULL, NULL, PLAIN, {200, 404}},
    {"DELETE", "/v1/rounds/{id}", "/v1/rounds/r{few}", NULL, NULL, RARE, {200, 404, 409, 503}},
    {"POST", "/v1/territories", "/v1/territories", JSON, "{\"weeks\":{few}0}", PLAIN, {400}},
    {"POST",
     "/v1/territories",
     "/v1/territories",
     JSON,
     "{\"from\":\"2090-03-06\",\"collection\":\"facilities\",\"filter\":{\"kind\":\"kitchen\"}}",
     RARE,
     {200, 422, 503}},
    {"GET",
     "/v1/rounds/{id}/report",
     "/v1/rounds/r{few}/report?format=html&lang=zh",
     NULL,
     NULL,
     PLAIN,
     {200, 403, 404}},
    {"POST",
     "/v1/rounds/{id}/replan",
     "/v1/rounds/r{few}/replan",
     JSON,
     "{\"inspectors\":[{\"id\":\"{unit}\",\"leave\":[\"2090-03-07\"]}]}",
     RARE,
     {200, 404, 409, 422, 503}},
    {"GET",
     "/v1/inspectors/{id}.ics",
     "/v1/inspectors/{unit}.ics?from=2090-03-06",
     NULL,
     NULL,
     PLAIN,
     {200, 404}},
    {"GET", "/v1/inspectors/{id}.ics", "/v1/inspectors/none.ics", NULL, NULL, PLAIN, {404}},
    {"GET", "/v1/devices/unknown", "/v1/devices/unknown", NULL, NULL, PLAIN, {200}},
    {"POST", "/v1/devices/{id}/accept", "/v1/devices/none/accept", JSON, "{}", PLAIN, {404}},
    {"POST",
     "/v1/devices/{id}/accept",
     "/v1/devices/kit{few}/accept",
     JSON,
     "{\"protocol\":\"mqtt\",\"unit\":\"{unit}\"}",
     PLAIN,
     {201, 409}},
    {"GET", "/v1/webhooks", "/v1/webhooks", NULL, NULL, PLAIN, {200}},
    {"POST", "/v1/webhooks", "/v1/webhooks", JSON, "{\"url\":7}", PLAIN, {400, 422}},
    {"GET", "/v1/webhooks/{id}", "/v1/webhooks/none", NULL, NULL, PLAIN, {404}},
    {"DELETE", "/v1/webhooks/{id}", "/v1/webhooks/none", NULL, NULL, PLAIN, {404}},
    {"GET", "/v1/stream", "/v1/stream?topics=positions", NULL, NULL, WATCH, {200, 403}},
    {"GET", "/v1/me", "/v1/me", NULL, NULL, PLAIN, {200}},
    {"POST",
     "/v1/nodes/devices",
     "/v1/nodes/devices",
     "application/octet-stream",
     "{value}",
     PLAIN,
     {404}},
    {"GET", "/v1/clock", "/v1/clock", NULL, NULL, PLAIN, {200}},
    {"POST", "/v1/clock", "/v1/clock", JSON, "{\"advance_s\":1}", SWAP, {200}},
    {"POST", "/v1/network", "/v1/network", JSON, "{\"file\":\"{map}\"}", SWAP, {200}},
    {"POST", "/v1/network", "/v1/network", JSON, "{\"file\":\"/dev/null\"}", PLAIN, {422}},
    {"GET",
     "/route/v1/{profile}/{coordinates}",
     "/route/v1/car/{lon},{lat};{lon},{lat}?steps=true&annotations=true",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET",
     "/route/v1/{profile}/{coordinates}",
     "/route/v1/car/{lon},{lat}",
     NULL,
     NULL,
     PLAIN,
     {400}},
    {"GET",
     "/table/v1/{profile}/{coordinates}",
     "/table/v1/car/{lon},{lat};{lon},{lat};{lon},{lat}?annotations=duration,distance",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"POST",
     "/route/v1/{profile}",
     "/route/v1/car",
     JSON,
     "{\"coordinates\":[[{lon},{lat}],[{lon},{lat}]],\"steps\":true}",
     PLAIN,
     {200}},
    {"POST", "/route/v1/{profile}", "/route/v1/car", JSON, "{\"coordinates\":[", PLAIN, {400}},
    {"POST",
     "/table/v1/{profile}",
     "/table/v1/car",
     JSON,
     "{\"coordinates\":[[{lon},{lat}],[{lon},{lat}]],\"sources\":[0]}",
     PLAIN,
     {200}},
    {"POST",
     "/match/v1/{profile}",
     "/match/v1/car",
     JSON,
     "{\"coordinates\":[[{lon},{lat}],[{lon},{lat}]]}",
     PLAIN,
     {200, 400}},
    {"GET",
     "/nearest/v1/{profile}/{coordinates}",
     "/nearest/v1/driving/{lon},{lat}?number={few}",
     NULL,
     NULL,
     PLAIN,
     {200, 400}},
    {"GET",
     "/match/v1/{profile}/{coordinates}",
     "/match/v1/car/{lon},{lat};{lon},{lat}",
     NULL,
     NULL,
     PLAIN,
     {200, 400}},
    {"GET",
     "/trip/v1/{profile}/{coordinates}",
     "/trip/v1/car/{lon},{lat};{lon},{lat};{lon},{lat}",
     NULL,
     NULL,
     PLAIN,
     {200}},
    {"GET",
     "/tile/v1/{profile}/tile({x},{y},{zoom}).mvt",
     "/tile/v1/car/tile(27460,13525,15).mvt",
     NULL,
     NULL,
     PLAIN,
     {200}},
};
enum { CALLS = sizeof calls / sizeof *calls };

/* One who asks, and what they know of their own items. */
struct asker {
    pthread_t thread;
    unsigned number;
    uint64_t dice;
    struct ht_client client;
    bool open;
    struct own {
        bool there;
        bool unsure; /* an answer did not come, since the server was ending */
        unsigned value;
    } own[OWN_MOST];
    unsigned own_count;
    unsigned own_now; /* the one that this call is about */
    unsigned value;   /* what it puts there */
    unsigned shared_now;
    unsigned changed[SHARED]; /* how often this one changed each */
    unsigned unsure[SHARED];
    unsigned done[CALLS];
    unsigned busy; /* answers of 503 */
    unsigned wrong;
    char first[1024]; /* the first that was wrong */
};

static char store[128];
static char tokens[128];
static char headers[HT_ROLE_ADMIN + 2][128]; /* by role; the last: a token that nobody has */
static struct asker *askers;
static atomic_uint asked;
static atomic_bool ending;

static void note_wrong(struct asker *asker, const char *what, const char *target, int status,
                       const struct ht_answer *got)
{
    if (asker->wrong++ == 0) {
        (void)snprintf(asker->first, sizeof asker->first, "%s: %.200s is %d %.400s", what, target,
                       status, got == NULL || got->body == NULL ? "" : got->body);
    }
}

/* ---- requests ---- */

static size_t expand_one(struct asker *asker, const char *name, char *to, size_t room)
{
    const uint32_t dice = ht_random_below(&asker->dice, 1000);
    int size = -1;
    if (strncmp(name, "{own}", 5) == 0) {
        size = snprintf(to, room, "c%u-%u", asker->number, asker->own_now);
    } else if (strncmp(name, "{value}", 7) == 0) {
        size = snprintf(to, room, "%u", asker->value);
    } else if (strncmp(name, "{shared}", 8) == 0) {
        size = snprintf(to, room, "shared%u", asker->shared_now);
    } else if (strncmp(name, "{unit}", 6) == 0) {
        size = snprintf(to, room, "van%u", dice % UNITS);
    } else if (strncmp(name, "{lon}", 5) == 0) {
        size = snprintf(to, room, "121.7%03u", 1 + dice % 300);
    } else if (strncmp(name, "{lat}", 5) == 0) {
        size = snprintf(to, room, "29.9%03u", 450 + dice % 200);
    } else if (strncmp(name, "{few}", 5) == 0) {
        size = snprintf(to, room, "%u", dice % 10);
    } else if (strncmp(name, "{map}", 5) == 0) {
        size = snprintf(to, room, "%s", map);
    }
    return size < 0 ? 0 : (size_t)size;
}

static void expand(struct asker *asker, const char *from, char *to, size_t room)
{
    size_t size = 0;
    for (const char *at = from == NULL ? "" : from; *at != '\0' && size + 1 < room; at++) {
        size_t added = *at == '{' ? expand_one(asker, at, to + size, room - size) : 0;
        if (added > 0) {
            size += added;
            at = strchr(at, '}');
        } else {
            to[size++] = *at;
        }
    }
    to[size < room ? size : room - 1] = '\0';
}

static enum ht_role role_needed(const struct call *call)
{
    size_t count = 0;
    const struct ht_route *routes = ht_routes(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(routes[i].path, call->path) == 0) {
            return strcmp(call->method, "GET") == 0 ? routes[i].read : routes[i].write;
        }
    }
    return HT_ROLE_VIEWER; /* OSRM's */
}

/* Sends, and again on a new connection where the old one had been ended between two requests.
 * Gives back the status; 0: no answer came. */
static int exchange(struct asker *asker, const char *text, struct ht_answer *got)
{
    memset(got, 0, sizeof *got);
    if (!asker->open) {
        asker->open = ht_client_open(&asker->client, port);
        if (!asker->open) {
            ht_client_close(&asker->client);
            return 0;
        }
    }
    int status = ht_client_text(&asker->client, text)
                     ? ht_client_read(&asker->client, got, strncmp(text, "HEAD", 4) == 0)
                     : 0;
    const char *connection = status > 0 ? ht_answer_header(got, "Connection") : NULL;
    if (status <= 0 || (connection != NULL && strcmp(connection, "close") == 0)) {
        ht_client_close(&asker->client);
        asker->open = false;
    }
    (void)atomic_fetch_add(&asked, 1);
    return status < 0 ? 0 : status;
}

static int request(struct asker *asker, const struct call *call, int role, const char *more,
                   struct ht_answer *got)
{
    char target[512];
    char body[1024];
    char text[3072];
    expand(asker, call->target, target, sizeof target);
    expand(asker, call->body, body, sizeof body);
    (void)snprintf(text, sizeof text,
                   "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s%s%sContent-Length: %zu\r\n\r\n%s",
                   call->method, target, headers[role], more,
                   call->type == NULL ? "" : "Content-Type: ", call->type == NULL ? "" : call->type,
                   call->type == NULL ? "" : "\r\n", strlen(body), body);
    return exchange(asker, text, got);
}

/* That an answer is one that the call may have; true: it was done. */
static bool judge(struct asker *asker, const struct call *call, int role, int status,
                  const struct ht_answer *got)
{
    enum ht_role need = role_needed(call);
    bool known = role <= HT_ROLE_ADMIN;
    bool expected = false;
    if (status == 0) {
        if (!atomic_load(&ending)) {
            note_wrong(asker, "no answer", call->target, status, got);
        }
        return false;
    }
    if (status == 503 && ht_answer_header(got, "Retry-After") != NULL) {
        asker->busy++;
        return false;
    }
    if (status == 503 && strcmp(call->path, "/readyz") == 0 && atomic_load(&ending)) {
        return false;
    }
    if (!known || (need > HT_ROLE_NONE && role == HT_ROLE_NONE)) {
        expected = status == 401;
    } else if (known && role < (int)need) {
        expected = status == 403;
    } else {
        for (size_t i = 0; i < sizeof call->want / sizeof *call->want; i++) {
            expected = expected || call->want[i] == status;
        }
        asker->done[call - calls] += expected ? 1 : 0;
    }
    if (!expected) {
        note_wrong(asker, call->method, call->target, status, got);
    } else if (status >= 400 && (got->body == NULL || strstr(got->body, "\"code\"") == NULL) &&
               strcmp(ht_answer_header(got, "Content-Type"), "application/problem+json") != 0) {
        note_wrong(asker, "an error without a problem", call->target, status, got);
    }
    return expected && status < 400;
}

/* ---- calls about items ---- */

static bool own_pick(struct asker *asker)
{
    for (int tries = 0; tries < 20 && asker->own_count > 0; tries++) {
        asker->own_now = ht_random_below(&asker->dice, asker->own_count);
        if (asker->own[asker->own_now].there && !asker->own[asker->own_now].unsure) {
            return true;
        }
    }
    return false;
}

/* Another request with the same key is refused. */
static void make_again(struct asker *asker, const struct call *call, int role, const char *key)
{
    struct ht_answer got;
    int status = request(asker, call, role, key, &got);
    /* {lon} and {lat} are others now */
    if (status != 409 && status != 0 && status != 503) {
        note_wrong(asker, "another request with the same key", call->target, status, &got);
    }
    ht_answer_free(&got);
}

static void make(struct asker *asker, const struct call *call, int role)
{
    struct ht_answer got;
    char key[64];
    if (asker->own_count == OWN_MOST) {
        return;
    }
    asker->own_now = asker->own_count;
    struct own *own = &asker->own[asker->own_count++];
    (void)snprintf(key, sizeof key, "Idempotency-Key: k%u-%u\r\n", asker->number, asker->own_now);
    int status = request(asker, call, role, key, &got);
    *own = (struct own){.there = judge(asker, call, role, status, &got),
                        .unsure = status == 0,
                        .value = asker->value};
    if (own->there && ht_random_below(&asker->dice, 4) == 0) {
        make_again(asker, call, role, key);
    }
    ht_answer_free(&got);
}

static void change(struct asker *asker, const struct call *call, int role)
{
    struct ht_answer got;
    if (!own_pick(asker)) {
        return;
    }
    struct own *own = &asker->own[asker->own_now];
    int status = request(asker, call, role, "", &got);
    own->unsure = status == 0;
    if (judge(asker, call, role, status, &got)) {
        own->there = call->kind != DROP;
        own->value = asker->value;
    }
    ht_answer_free(&got);
}

static bool says_value(const struct ht_answer *got, unsigned value)
{
    char text[64];
    (void)snprintf(text, sizeof text, "\"residents\":%u", value);
    const char *at = got->body == NULL ? NULL : strstr(got->body, text);
    return at != NULL && (at[strlen(text)] < '0' || at[strlen(text)] > '9');
}

static void look(struct asker *asker, const struct call *call, int role)
{
    struct ht_answer got;
    if (!own_pick(asker)) {
        return;
    }
    int status = request(asker, call, role, "", &got);
    if (judge(asker, call, role, status, &got) &&
        !says_value(&got, asker->own[asker->own_now].value)) {
        note_wrong(asker, "not what was written", call->target, status, &got);
    }
    ht_answer_free(&got);
}

/* Reads an item that all change and changes it, if nobody did meanwhile. */
static void share(struct asker *asker, const struct call *call, int role)
{
    static const struct call read = {.method = "GET", .target = HOMES "/{shared}"};
    struct ht_answer got;
    char match[64];
    asker->shared_now = ht_random_below(&asker->dice, SHARED);
    int status = request(asker, &read, HT_ROLE_VIEWER, "", &got);
    const char *tag = status == 200 ? ht_answer_header(&got, "ETag") : NULL;
    (void)snprintf(match, sizeof match, "If-Match: %.32s\r\n", tag == NULL ? "" : tag);
    ht_answer_free(&got);
    if (tag == NULL) {
        return;
    }
    status = request(asker, call, role, match, &got);
    asker->unsure[asker->shared_now] += status == 0 ? 1 : 0;
    asker->changed[asker->shared_now] += judge(asker, call, role, status, &got) ? 1 : 0;
    ht_answer_free(&got);
}

static void plain(struct asker *asker, const struct call *call, int role)
{
    struct ht_answer got;
    int status = request(asker, call, role, "", &got);
    bool done = judge(asker, call, role, status, &got);
    (void)done;
    ht_answer_free(&got);
}

static void watch(struct asker *asker, const struct call *call, int role)
{
    struct ht_client *own = malloc(sizeof *own);
    struct ht_answer got = {0};
    char text[512];
    if (own == NULL) {
        return;
    }
    (void)snprintf(text, sizeof text, "%s %s" HEADERS "%s\r\n", call->method, call->target,
                   headers[role]);
    int status = ht_client_open(own, port) && ht_client_text(own, text)
                     ? ht_client_read(own, &got, true)
                     : 0;
    bool done = judge(asker, call, role, status < 0 ? 0 : status, &got);
    (void)done;
    ht_answer_free(&got);
    ht_client_close(own);
    free(own);
}

static void call_one(struct asker *asker, const struct call *call, int role)
{
    asker->value = ht_random_below(&asker->dice, 10000);
    switch (call->kind) {
    case MAKE:
        make(asker, call, role);
        break;
    case PUT:
    case PATCH:
    case DROP:
        change(asker, call, role);
        break;
    case LOOK:
        look(asker, call, role);
        break;
    case SHARE:
        share(asker, call, role);
        break;
    case WATCH:
        watch(asker, call, role);
        break;
    case PLAIN:
    case RARE:
    case SWAP:
    default:
        plain(asker, call, role);
        break;
    }
}

/* ---- clients that break off, send rubbish, or do not wait ---- */

static void be_rude(struct asker *asker)
{
    static const char *const halves[] = {
        "GET /healthz HT",
        "POST " HOMES " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{\"type\":",
        "\r\n\r\n\x01\x02 nonsense\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /readyz HTTP/1.1\r\nHost: "
        "127.0.0.1\r\n\r\nGET /route/v1/car/121.70,29.95;121.73,29.96 HTT",
    };
    struct ht_client *own = malloc(sizeof *own);
    if (own == NULL) {
        return;
    }
    uint32_t half = ht_random_below(&asker->dice, sizeof halves / sizeof *halves);
    if (ht_client_open(own, port) && ht_client_text(own, halves[half]) && half >= 2) {
        struct ht_answer got;
        int status = ht_client_read(own, &got, false);
        if (status >= 500 && status != 503 && status != 505) {
            note_wrong(asker, "rubbish", halves[half], status, &got);
        }
        ht_answer_free(&got);
    }
    ht_client_close(own);
    free(own);
}

static int role_pick(struct asker *asker)
{
    static const int roles[] = {HT_ROLE_NONE,       HT_ROLE_ADMIN + 1,  HT_ROLE_VIEWER,
                                HT_ROLE_DEVICE,     HT_ROLE_DISPATCHER, HT_ROLE_DISPATCHER,
                                HT_ROLE_DISPATCHER, HT_ROLE_DISPATCHER, HT_ROLE_ADMIN};
    return roles[ht_random_below(&asker->dice, sizeof roles / sizeof *roles)];
}

/* A third is about items. */
static const struct call *call_pick(struct asker *asker)
{
    bool items = ht_random_below(&asker->dice, 3) == 0;
    const struct call *call = NULL;
    bool fits = false;
    while (!fits) {
        call = &calls[ht_random_below(&asker->dice, CALLS)];
        fits = !items || (call->kind >= MAKE && call->kind <= SHARE);
        fits = fits && (call->kind < RARE || ht_random_below(&asker->dice, 8) == 0);
        fits = fits && (call->kind != SWAP || asker->number == 0);
    }
    return call;
}

/* Goes on until the server has ended. */
static void *asker_main(void *user)
{
    struct asker *asker = user;
    unsigned failures = 0;
    while (failures < 3) {
        const struct call *call = call_pick(asker);
        bool before = atomic_load(&ending);
        call_one(asker, call, role_pick(asker));
        failures = before && !asker->open ? failures + 1 : 0;
        if (!before && ht_random_below(&asker->dice, 20) == 0) {
            be_rude(asker);
        }
    }
    if (asker->open) {
        ht_client_close(&asker->client);
        asker->open = false;
    }
    return NULL;
}

/* ---- before and after ---- */

static void token_make(int role, const char *more)
{
    char line[256];
    (void)snprintf(line, sizeof line, "token add %s --name n%d --role %s%s", tokens, role,
                   ht_role_name((enum ht_role)role), more);
    const struct ht_command_run *run = ht_command_run(line);
    HT_CHECK_INT(run->code, 0);
    (void)snprintf(headers[role], sizeof headers[role], "Authorization: Bearer %.*s\r\n",
                   (int)strcspn(run->out, "\n"), run->out);
}

static bool crowd_begin(char options[512])
{
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/crowd.sqlite", folder);
    (void)snprintf(tokens, sizeof tokens, "%s/crowd.tokens", folder);
    token_make(HT_ROLE_VIEWER, "");
    token_make(HT_ROLE_DEVICE, " --unit van1");
    token_make(HT_ROLE_DISPATCHER, "");
    token_make(HT_ROLE_ADMIN, "");
    (void)strcpy(headers[HT_ROLE_ADMIN + 1], "Authorization: Bearer ht_nobody\r\n");
    (void)snprintf(options, 512, "--store %s --tokens %s --clock 2026-03-01T08:00:00Z,1", store,
                   tokens);
    askers = calloc(CLIENTS, sizeof *askers);
    return askers != NULL && begin(options);
}

static void town_make(void)
{
    char with[256];
    char body[512];
    (void)snprintf(with, sizeof with, "Content-Type: " GEO "\r\n%s", headers[HT_ROLE_ADMIN]);
    for (int i = 0; i < UNITS; i++) {
        (void)snprintf(body, sizeof body,
                       "{\"type\":\"Feature\",\"id\":\"van%d\",\"geometry\":{\"type\":\"Point\","
                       "\"coordinates\":[121.7%02d,29.955]},\"properties\":{\"kind\":\"van\","
                       "\"profile\":\"car\",\"status\":\"idle\"}}",
                       i, 10 + i);
        HT_CHECK_INT(post("/collections/units/items", with, body), 201);
    }
    HT_CHECK_INT(post("/collections/facilities/items", with,
                      "{\"type\":\"Feature\",\"id\":\"kitchen-1\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.715,29.955]},\"properties\":{\"kind\":\"kitchen\"}}"),
                 201);
    for (int i = 0; i < SHARED; i++) {
        (void)snprintf(body, sizeof body,
                       "{\"type\":\"Feature\",\"id\":\"shared%d\",\"geometry\":{\"type\":\"Point\","
                       "\"coordinates\":[121.715,29.955]},\"properties\":{\"residents\":1}}",
                       i);
        HT_CHECK_INT(post(HOMES, with, body), 201);
    }
}

/* Each call of the description is one that somebody makes here. */
static void all_described_are_made(void)
{
    char why[256];
    char with[256];
    (void)snprintf(with, sizeof with, "GET /openapi.json" HEADERS "%s\r\n", headers[HT_ROLE_ADMIN]);
    HT_CHECK_INT(ask(with), 200);
    yajl_val tree = yajl_tree_parse(answer.body, why, sizeof why);
    const char *root[] = {"paths", NULL};
    yajl_val paths = yajl_tree_get(tree, root, yajl_t_object);
    HT_REQUIRE(YAJL_IS_OBJECT(paths));
    for (size_t i = 0; i < YAJL_GET_OBJECT(paths)->len; i++) {
        const char *path = YAJL_GET_OBJECT(paths)->keys[i];
        yajl_val methods = YAJL_GET_OBJECT(paths)->values[i];
        HT_REQUIRE(YAJL_IS_OBJECT(methods));
        for (size_t m = 0; m < YAJL_GET_OBJECT(methods)->len; m++) {
            const char *method = YAJL_GET_OBJECT(methods)->keys[m];
            bool made = strcmp(method, "parameters") == 0;
            for (size_t c = 0; c < CALLS; c++) {
                made = made || (strcmp(calls[c].path, path) == 0 &&
                                strcasecmp(calls[c].method, method) == 0);
            }
            if (!made) {
                HT_CHECK_STR(path,
                             "called by the crowd"); /* a new one: give it a line in `calls` */
            }
        }
    }
    yajl_tree_free(tree);
}

/* Every call by itself, as an admin. */
static void each_alone(struct asker *asker)
{
    for (size_t c = 0; c < CALLS; c++) {
        call_one(asker, &calls[c], HT_ROLE_ADMIN);
        if (asker->done[c] != 1) {
            HT_CHECK_STR(calls[c].target, "done");
            (void)printf("  %s\n", asker->first);
        }
    }
}

static void wait_for_calls(unsigned number)
{
    while (atomic_load(&asked) < number) {
        (void)usleep(10000);
    }
}

static void tell(void)
{
    unsigned wrong = 0;
    unsigned busy = 0;
    unsigned done = 0;
    for (int i = 0; i < CLIENTS; i++) {
        if (askers[i].wrong > 0 && wrong < 10) {
            (void)printf("  client %d: %s\n", i, askers[i].first);
        }
        wrong += askers[i].wrong;
        busy += askers[i].busy;
        for (size_t c = 0; c < CALLS; c++) {
            done += askers[i].done[c];
        }
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(busy < done / 10);
}

/* What each client knows of its items is so. */
static void items_check(void)
{
    char text[256];
    unsigned checked = 0;
    unsigned there = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        for (unsigned n = 0; n < askers[i].own_count && ht_case_failures < 10; n++) {
            const struct own *own = &askers[i].own[n];
            (void)snprintf(text, sizeof text, "GET " HOMES "/c%u-%u" HEADERS "%s\r\n", i, n,
                           headers[HT_ROLE_VIEWER]);
            int status = ask(text);
            if (!own->unsure) {
                HT_CHECK_INT(status, own->there ? 200 : 404);
                HT_CHECK(!own->there || says_value(&answer, own->value));
                there += own->there ? 1 : 0;
                checked++;
            }
        }
    }
    HT_CHECK(checked > CLIENTS && there > 0);
    for (unsigned n = 0; n < SHARED; n++) {
        unsigned changed = 1;
        unsigned unsure = 0;
        for (unsigned i = 0; i < CLIENTS; i++) {
            changed += askers[i].changed[n];
            unsure += askers[i].unsure[n];
        }
        (void)snprintf(text, sizeof text, "GET " HOMES "/shared%u" HEADERS "%s\r\n", n,
                       headers[HT_ROLE_VIEWER]);
        HT_CHECK_INT(ask(text), 200);
        const char *tag = ht_answer_header(&answer, "ETag");
        unsigned version = tag == NULL ? 0 : (unsigned)strtoul(tag + 1, NULL, 10);
        HT_CHECK(version >= changed && version <= changed + unsure);
        HT_CHECK(changed > 1);
    }
}

HT_CASE(two_hundred_clients_get_what_they_may_and_lose_nothing)
{
    char options[512];
    char line[256];
    unsigned each = HT_LONG ? CALLS_LONG : CALLS_CI;
    HT_REQUIRE(crowd_begin(options));
    town_make();
    all_described_are_made();
    for (unsigned i = 0; i < CLIENTS; i++) {
        askers[i].number = i;
        askers[i].dice = 7919 * (i + 1);
    }
    each_alone(&askers[0]);
    for (unsigned i = 0; i < CLIENTS; i++) {
        HT_REQUIRE(pthread_create(&askers[i].thread, NULL, asker_main, &askers[i]) == 0);
    }
    wait_for_calls(each * CLIENTS);
    atomic_store(&ending, true);
    end(); /* while all go on asking; its exit code is 0 where no sanitizer complains */
    for (unsigned i = 0; i < CLIENTS; i++) {
        HT_CHECK(pthread_join(askers[i].thread, NULL) == 0);
    }
    tell();
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
    HT_REQUIRE(begin(options));
    items_check();
    end();
    free(askers);
}

HT_SERVED_MAIN()
