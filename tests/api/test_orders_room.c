/* The room of orders within the process: what a start reads of a store, and a plan that another
 * thread hands over. */
#include "api/order_event.h"
#include "api/orders_room.h"

#include "tests/support/check.h"

static char path[64];

static enum ht_status event_put(struct ht_store_tx *tx, const char *kind, const char *order,
                                const char *body, int64_t *seq)
{
    char subject[80];
    (void)snprintf(subject, sizeof subject, "orders/%s", order);
    const struct ht_store_event event = {
        .at_ms = 1772416800000, .actor = "x", .kind = kind, .subject = subject, .body = body};
    return ht_store_event_append(tx, &event, seq, NULL);
}

static void order_put(struct ht_store_tx *tx, const char *id, const char *more)
{
    char body[256];
    int64_t seq = 0;
    (void)snprintf(body, sizeof body,
                   "{\"order\":\"%s\",\"load\":[2],\"kitchen\":\"k1\",\"service_ms\":60000%s}", id,
                   more);
    HT_CHECK_INT(event_put(tx, "order.received", id, body, &seq), HT_OK);
    const struct ht_store_order_state state = {id, seq, 0};
    const struct ht_store_order_card card = {id, NULL, {1217000000, 299500000}, ""};
    HT_CHECK_INT(ht_store_order_state_put(tx, &state, NULL), HT_OK);
    HT_CHECK_INT(ht_store_order_card_put(tx, &card, NULL), HT_OK);
}

/* Two orders, and one whose first event nobody can read. */
static bool store_make(void)
{
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    struct ht_store *store = NULL;
    struct ht_store_tx *tx = NULL;
    (void)snprintf(path, sizeof path, "/tmp/houtao-room-%d.sqlite", (int)getpid());
    (void)unlink(path);
    if (ht_store_open(path, &options, &store, NULL) != HT_OK ||
        ht_store_begin(store, &tx, NULL) != HT_OK) {
        return false;
    }
    order_put(tx, "a", "");
    order_put(tx, "b", "");
    order_put(tx, "bad", ",\"due_from\":7");
    HT_CHECK_INT(event_put(tx, "order.loaded", "b", "{\"order\":\"b\",\"unit\":\"v1\"}", NULL),
                 HT_OK);
    HT_CHECK_INT(event_put(tx, "order.dreamt", "b", "{}", NULL), HT_OK); /* by a newer one */
    enum ht_status status = ht_store_commit(tx, NULL);
    ht_store_close(store);
    return status == HT_OK;
}

static struct ht_app *app_open(void)
{
    struct ht_app *app = NULL;
    struct ht_error note = {0};
    struct ht_error error = {0};
    enum ht_status status = ht_app_new(1, NULL, &app);
    if (status == HT_OK) {
        status = ht_app_store_open(app, path, &note, &error);
    }
    if (status == HT_OK) {
        status = ht_app_regimes_open(app, &error);
    }
    if (status == HT_OK) {
        status = ht_app_live_open(app, &error);
    }
    HT_CHECK_INT(status, HT_OK);
    return app;
}

static void app_close(struct ht_app *app)
{
    ht_app_store_stop(app);
    ht_app_free(app);
}

static enum ht_status count_event(void *user, const struct ht_store_event *event)
{
    int *count = user;
    *count += strstr(event->body, "\"unit\":\"v2\"") != NULL;
    return HT_OK;
}

static int planned_events(struct ht_app *app)
{
    const struct ht_store_event_query query = {.prefix = "order.planned", .limit = UINT64_MAX};
    struct ht_store_reader *reader = NULL;
    int count = 0;
    HT_CHECK_INT(ht_store_reader_new(app->store, &reader, NULL), HT_OK);
    HT_CHECK_INT(ht_store_events_of(reader, &query, count_event, &count, NULL), HT_OK);
    ht_store_reader_free(reader);
    return count;
}

static const struct ht_order_plan rows[] = {
    {"a", "v2", 1772420400000, 1772420300000, 1772420500000, 3, HT_ORDER_LACKS_NONE},
    {"b", "v2", 1772420400000, 1772420300000, 1772420500000, 4, HT_ORDER_LACKS_NONE},
    {"none", "v2", 1772420400000, 1772420300000, 1772420500000, 5, HT_ORDER_LACKS_NONE}};

static enum ht_status plan_hand(struct ht_orders_room *room, const struct ht_order_plan *list,
                                size_t count, size_t *passed_over)
{
    struct ht_orders_room_planning planning = {.rows = list, .count = count};
    enum ht_status status = ht_orders_room_plan(room, &planning, NULL);
    *passed_over = planning.passed_over;
    return status;
}

static bool published;

static void publish(void *user)
{
    const struct ht_order *order = ht_orders_get(user, "a");
    published = order != NULL;
    ht_order_release(order);
}

/* Times that were reckoned for a plan that is another by now change nothing. */
static void times_of_another_plan_are_passed_over(struct ht_app *app,
                                                  const struct ht_order_plan *last)
{
    struct ht_order_plan late = *last;
    struct ht_orders_room_planning planning = {.rows = &late,
                                               .count = 1,
                                               .times_only = true,
                                               .committed = publish,
                                               .user = ht_orders_room_orders(app->orders)};
    late.eta_ms += 600000;
    late.eta_high_ms += 600000;
    late.unit = "v1";
    HT_CHECK_INT(ht_orders_room_plan(app->orders, &planning, NULL), HT_OK);
    HT_CHECK_INT(planning.passed_over, 1);
    late.unit = last->unit;
    late.sequence++;
    HT_CHECK_INT(ht_orders_room_plan(app->orders, &planning, NULL), HT_OK);
    HT_CHECK_INT(planning.passed_over, 1);
    HT_CHECK_INT(planned_events(app), 2);
    HT_CHECK(published);
}

#define RECEIVED(more)                                                                             \
    "{\"order\":\"a\",\"load\":[1],\"kitchen\":\"k\",\"ready\":\"2026-03-02T03:00:00.000Z\","      \
    "\"due_from\":\"2026-03-02T03:00:00.000Z\",\"due_to\":\"2026-03-02T04:00:00.000Z\","           \
    "\"service_ms\":60000" more "}"

/* Rows from before orders said where they are handed over are of the door. */
HT_CASE(a_row_of_yesterday_is_handed_over_at_the_door)
{
    static const struct {
        const char *body;
        enum ht_status status;
        uint8_t handover;
    } bodies[] = {{RECEIVED(""), HT_OK, HT_ORDER_AT_DOOR},
                  {RECEIVED(",\"handover\":\"door\""), HT_OK, HT_ORDER_AT_DOOR},
                  {RECEIVED(",\"handover\":\"van\""), HT_OK, HT_ORDER_AT_VAN},
                  {RECEIVED(",\"handover\":\"roof\""), HT_INVALID, 0},
                  {RECEIVED(",\"handover\":7"), HT_INVALID, 0}};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct ht_order_event_read read;
        HT_CHECK_INT(ht_order_event_read("order.received", 1, bodies[i].body, &read),
                     bodies[i].status);
        HT_CHECK(bodies[i].status != HT_OK || read.event.handover == bodies[i].handover);
        ht_order_event_deinit(&read);
    }
}

HT_CASE(a_start_reads_what_is_open_and_a_plan_is_written_before_it_counts)
{
    struct ht_incident_place place;
    size_t passed_over = 0;
    HT_REQUIRE(store_make());
    struct ht_app *app = app_open();
    HT_REQUIRE(app->orders != NULL);
    struct ht_orders *orders = ht_orders_room_orders(app->orders);
    HT_CHECK_INT(app->orders_skipped, 1);
    HT_CHECK(ht_orders_get(orders, "bad") == NULL);
    HT_CHECK(ht_incident_places_get(ht_orders_room_places(app->orders), "a", &place));
    HT_CHECK_INT(place.point.lon_e7, 1217000000);
    uint64_t changes = ht_orders_changes(orders);
    HT_CHECK_INT(plan_hand(app->orders, rows, 3, &passed_over), HT_OK);
    HT_CHECK_INT(passed_over, 2); /* b is on another unit */
    HT_CHECK_INT(planned_events(app), 1);
    HT_CHECK_INT(ht_orders_changes(orders), changes); /* a plan needs no other plan */
    /* the same again, and a little later: no event */
    struct ht_order_plan later = rows[0];
    later.eta_ms += 60000;
    later.eta_high_ms += 60000;
    HT_CHECK_INT(plan_hand(app->orders, rows, 1, &passed_over), HT_OK);
    HT_CHECK_INT(plan_hand(app->orders, &later, 1, &passed_over), HT_OK);
    HT_CHECK_INT(passed_over, 0);
    HT_CHECK_INT(planned_events(app), 1);
    later.eta_high_ms += 60000; /* by the step, two minutes */
    HT_CHECK_INT(plan_hand(app->orders, &later, 1, &passed_over), HT_OK);
    HT_CHECK_INT(planned_events(app), 2);
    times_of_another_plan_are_passed_over(app, &later);
    HT_CHECK(!ht_orders_room_kitchen_out(app->orders, "k1", 1772420400000));
    app_close(app);
    app = app_open();
    const struct ht_order *order = ht_orders_get(ht_orders_room_orders(app->orders), "a");
    HT_REQUIRE(order != NULL);
    HT_CHECK_INT(order->state, HT_ORDER_IS_PLANNED);
    HT_CHECK_STR(order->unit, "v2");
    HT_CHECK_INT(order->eta_ms, later.eta_ms);
    ht_order_release(order);
    app_close(app);
    (void)unlink(path);
}

HT_MAIN()
