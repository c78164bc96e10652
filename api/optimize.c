#include "api/optimize.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/params.h"
#include "api/vroom.h"
#include "api/vroom_write.h"

enum {
    BODY_MOST = 8 << 20, /* bytes: their tree takes some 40 times that */
    LIMIT_MOST_MS = 60000,
    NICE = 10,
};

struct optimize_job {
    struct ht_crs crs;
    bool gone; /* set by the loop while a worker is at it: read and written atomically */
    size_t size;
    char text[];
};

/* What the low thread works with. */
struct low {
    struct ht_app_context *context;
    struct optimize_job *job;
    struct ht_vroom_call call;
    struct ht_buffer *out;
    int code;
};

static unsigned cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

static void refuse(struct ht_reply *reply, int status, int code, const char *message)
{
    reply->status = status;
    reply->retry_after_s = status == 503 ? 1 : 0;
    ht_buffer_clear(&reply->body);
    ht_vroom_write_error(&reply->body, code, message);
}

static bool point_of(void *user, const double pair[2], struct ht_point *out)
{
    const struct low *low = user;
    return ht_crs_point(low->context->crs, &low->job->crs, pair, out) == HT_OK;
}

/* The worker waits meanwhile, so its reader may be used by this thread. */
static void on_routed(void *user)
{
    struct low *low = user;
    ht_world_reader_rest(&low->context->world);
}

static struct ht_world *streets_again(void *user)
{
    struct low *low = user;
    return ht_world_reader_get(&low->context->world);
}

static bool pairs_of(void *user, double (*pairs)[2], size_t count)
{
    const struct low *low = user;
    return ht_crs_from_wgs84(low->context->crs, &low->job->crs, pairs, count) == HT_OK;
}

/* A server that is to stop doesn't wait for plans. */
static void on_progress(void *user, const struct ht_solve_progress *progress)
{
    struct low *low = user;
    (void)progress;
    if (low->context->app->server != NULL && ht_http_server_draining(low->context->app->server)) {
        __atomic_store_n(&low->job->gone, true, __ATOMIC_RELAXED);
    }
}

static void *low_run(void *user)
{
    struct low *low = user;
    struct ht_error error = {0};
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux this thread's, and of those it makes */
    low->code = ht_vroom_run(&low->call, false, low->out, &error);
    return NULL;
}

/* A thread of its own, since its low priority can't be taken back. */
static void low_start(struct low *low, struct ht_reply *reply)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, low_run, low) != 0) {
        refuse(reply, 503, HT_VROOM_INTERNAL, "No thread to work with.");
        return;
    }
    (void)pthread_join(thread, NULL);
    switch (low->code) {
    case HT_VROOM_OK:
        break;
    case HT_VROOM_INPUT:
        reply->status = 400;
        break;
    case HT_VROOM_ROUTING:
        reply->status = 422;
        break;
    case HT_VROOM_TOO_BIG:
        reply->status = 413;
        break;
    case -1:
        refuse(reply, 503, HT_VROOM_INTERNAL, "Cancelled.");
        break;
    default:
        reply->status = 503;
        reply->retry_after_s = 1;
        break;
    }
}

static void optimize_run(void *user, void *data, struct ht_reply *reply)
{
    struct low low = {.context = user, .job = data, .out = &reply->body};
    struct ht_app *app = low.context->app;
    unsigned most = cores() > 1 ? cores() - 1 : 1;
    if (low.context->crs == NULL && ht_crs_work_new(&low.context->crs) != HT_OK) {
        refuse(reply, 503, HT_VROOM_INTERNAL, "Out of memory.");
        return;
    }
    if (atomic_fetch_add(&app->solving, 1) >= most) {
        atomic_fetch_sub(&app->solving, 1);
        refuse(reply, 503, HT_VROOM_INTERNAL, "Others are being planned for; try again.");
        return;
    }
    low.call = (struct ht_vroom_call){
        .text = low.job->text,
        .size = low.job->size,
        .world = ht_world_reader_get(&low.context->world),
        .point = point_of,
        .pairs = pairs_of,
        .point_user = &low,
        .routed = on_routed,
        .again = streets_again,
        .routed_user = &low,
        .options = {.cancel = &low.job->gone, .progress = on_progress, .user = &low},
        .limit_most_ms = LIMIT_MOST_MS,
        .threads_most = cores()};
    low_start(&low, reply);
    atomic_fetch_sub(&app->solving, 1);
}

static void optimize_gone(void *data)
{
    struct optimize_job *job = data;
    __atomic_store_n(&job->gone, true, __ATOMIC_RELAXED);
}

static bool crs_read(const struct ht_http_request *request, struct ht_crs *crs)
{
    struct ht_params params;
    if (ht_params_of(&params, request) != HT_OK) {
        return false;
    }
    const char *name = ht_param(&params, "crs");
    name = name == NULL ? "" : name;
    enum ht_status status = ht_crs_parse(name, strlen(name), crs);
    ht_params_deinit(&params);
    return status == HT_OK;
}

void ht_optimize_post(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_crs crs;
    (void)context;
    if (!crs_read(request, &crs)) {
        refuse(call->reply, 400, HT_VROOM_INPUT, "crs is not a coordinate system.");
        return;
    }
    if (request->body_size > BODY_MOST) {
        refuse(call->reply, 413, HT_VROOM_TOO_BIG, "A body of more than 8 MiB.");
        return;
    }
    struct optimize_job *job = malloc(sizeof *job + request->body_size + 1);
    if (job == NULL) {
        refuse(call->reply, 503, HT_VROOM_INTERNAL, "Out of memory.");
        return;
    }
    *job = (struct optimize_job){.crs = crs, .size = request->body_size};
    memcpy(job->text, request->body, request->body_size);
    call->job =
        (struct ht_http_job){.run = optimize_run, .gone = optimize_gone, .free = free, .data = job};
}
