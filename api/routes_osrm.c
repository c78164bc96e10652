#include "api/routes_osrm.h"

#include <stdlib.h>
#include <string.h>

/* A long answer holds its world until it is made. */
struct osrm_job {
    struct ht_osrm_request *request;
    struct ht_world *world;
};

enum ht_service ht_osrm_service(const char *path, size_t size)
{
    const char *begin = size > 0 ? path + 1 : path;
    size_t rest = size > 0 ? size - 1 : 0;
    const char *slash = memchr(begin, '/', rest);
    size_t length = slash == NULL ? rest : (size_t)(slash - begin);
    for (int service = HT_SERVICE_ROUTE; service < HT_SERVICE_OSRM; service++) {
        const char *name = ht_service_name((enum ht_service)service);
        if (strlen(name) == length && memcmp(name, begin, length) == 0) {
            return (enum ht_service)service;
        }
    }
    return HT_SERVICE_OSRM;
}

/* One answer at a time gets the pool; the others make do with their own thread. */
static void job_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct osrm_job *job = data;
    struct ht_app *app = context->app;
    bool shared = pthread_mutex_trylock(&app->pool.lock) == 0;
    ht_osrm_run(context->osrm, job->request, job->world, shared ? app->pool.pool : NULL, reply);
    reply->cors = true;
    if (shared) {
        (void)pthread_mutex_unlock(&app->pool.lock);
    }
}

static void job_free(void *data)
{
    struct osrm_job *job = data;
    ht_osrm_request_free(job->request);
    ht_world_release(job->world);
    free(job);
}

static void answer_later(struct ht_http_call *call, struct ht_osrm_request *request,
                         struct ht_world *world)
{
    struct osrm_job *job = malloc(sizeof *job);
    if (job == NULL) {
        ht_osrm_request_free(request);
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        call->reply->retry_after_s = 1;
        return;
    }
    ht_world_retain(world);
    *job = (struct osrm_job){.request = request, .world = world};
    call->job = (struct ht_http_job){.run = job_run, .free = job_free, .data = job};
}

static void answer_now(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *http = call->request;
    struct ht_world *world = ht_world_reader_get(&context->world);
    if (world == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "no network is open");
        call->reply->retry_after_s = 1;
        return;
    }
    struct ht_osrm_request *request = NULL;
    if (!ht_osrm_parse(context->osrm, http->target, http->target_size, http->body,
                       http->method == HT_HTTP_POST ? http->body_size : 0, call->reply, &request)) {
        return;
    }
    if (ht_osrm_heavy(context->osrm, request, world)) {
        answer_later(call, request, world);
        return;
    }
    ht_osrm_run(context->osrm, request, world, NULL, call->reply);
    ht_osrm_request_free(request);
}

/* Answers begin with a fresh reply, so that pages of any origin may read them is said at the end.
 */
void ht_osrm_call(struct ht_app_context *context, struct ht_http_call *call)
{
    answer_now(context, call);
    call->reply->cors = true;
}
