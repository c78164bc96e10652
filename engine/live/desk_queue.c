/* The queue is a treap (Seidel and Aragon 1996), its nodes lie in the entries: nothing is
 * allocated, so a decision can be undone whatever the memory. The due times are a binary heap that
 * knows where each entry is. */
#include <assert.h>

#include "engine/live/desk_internal.h"

bool ht__desk_key_before(const struct ht__key *a, const struct ht__key *b)
{
    if (a->severity != b->severity) {
        return a->severity > b->severity;
    }
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

/* Those before `key` to the left. */
static void split(struct ht__node *node, const struct ht__key *key, struct ht__node **left,
                  struct ht__node **right)
{
    while (node != NULL) {
        if (ht__desk_key_before(&node->key, key)) {
            *left = node;
            left = &node->right;
            node = node->right;
        } else {
            *right = node;
            right = &node->left;
            node = node->left;
        }
    }
    *left = *right = NULL;
}

static struct ht__node *merge(struct ht__node *left, struct ht__node *right)
{
    struct ht__node *root = NULL;
    struct ht__node **at = &root;
    while (left != NULL && right != NULL) {
        if (left->rank >= right->rank) {
            *at = left;
            at = &left->right;
            left = left->right;
        } else {
            *at = right;
            at = &right->left;
            right = right->left;
        }
    }
    *at = left != NULL ? left : right;
    return root;
}

static void insert(struct ht__node **root, struct ht__node *node)
{
    struct ht__node **at = root;
    while (*at != NULL && (*at)->rank >= node->rank) {
        at = ht__desk_key_before(&(*at)->key, &node->key) ? &(*at)->right : &(*at)->left;
    }
    split(*at, &node->key, &node->left, &node->right);
    *at = node;
    node->in = true;
}

static void erase(struct ht__node **root, struct ht__node *node)
{
    struct ht__node **at = root;
    while (*at != node) {
        assert(*at != NULL);
        at = ht__desk_key_before(&(*at)->key, &node->key) ? &(*at)->right : &(*at)->left;
    }
    *at = merge(node->left, node->right);
    node->left = node->right = NULL;
    node->in = false;
}

void ht__desk_queue_set(struct ht__node **root, struct ht__node *node, bool in, struct ht__key key)
{
    bool same = !ht__desk_key_before(&node->key, &key) && !ht__desk_key_before(&key, &node->key);
    if (node->in && (!in || !same)) {
        erase(root, node);
    }
    if (in && !node->in) {
        node->key = key;
        insert(root, node);
    }
}

struct ht__entry *ht__desk_queue_first(const struct ht__node *root)
{
    while (root != NULL && root->left != NULL) {
        root = root->left;
    }
    return root == NULL ? NULL : root->entry;
}

struct ht__entry *ht__desk_queue_after(const struct ht__node *root, struct ht__key key)
{
    struct ht__entry *found = NULL;
    while (root != NULL) {
        if (ht__desk_key_before(&key, &root->key)) {
            found = root->entry;
            root = root->left;
        } else {
            root = root->right;
        }
    }
    return found;
}

/* Equal ones in the order of creation: what a tick decides does not depend on the heap's past. */
static bool sooner_than(const struct ht__entry *a, const struct ht__entry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms
                                  : a->pending->view.order < b->pending->view.order;
}

static void heap_put(struct ht__due *due, size_t at, struct ht__entry *entry)
{
    due->heap[at] = entry;
    entry->due_at = at;
}

static void heap_up(struct ht__due *due, size_t at, struct ht__entry *entry)
{
    while (at > 0 && sooner_than(entry, due->heap[(at - 1) / 2])) {
        heap_put(due, at, due->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(due, at, entry);
}

static void heap_down(struct ht__due *due, size_t at, struct ht__entry *entry)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < due->count && sooner_than(due->heap[child + 1], due->heap[child])) {
            child++;
        }
        if (child >= due->count || !sooner_than(due->heap[child], entry)) {
            break;
        }
        heap_put(due, at, due->heap[child]);
        at = child;
    }
    heap_put(due, at, entry);
}

static void heap_settle(struct ht__due *due, size_t at, struct ht__entry *entry)
{
    if (at > 0 && sooner_than(entry, due->heap[(at - 1) / 2])) {
        heap_up(due, at, entry);
    } else {
        heap_down(due, at, entry);
    }
}

void ht__desk_due_set(struct ht__due *due, struct ht__entry *entry, int64_t at_ms)
{
    bool in = entry->due_at != SIZE_MAX;
    entry->due_ms = at_ms;
    if (at_ms != INT64_MAX) {
        assert(in || due->count < due->room);
        heap_settle(due, in ? entry->due_at : due->count++, entry);
    } else if (in) {
        size_t at = entry->due_at;
        struct ht__entry *last = due->heap[--due->count];
        entry->due_at = SIZE_MAX;
        if (last != entry) {
            heap_settle(due, at, last);
        }
    }
}

static int64_t sooner(int64_t best, int64_t at_ms)
{
    return at_ms != 0 && at_ms < best ? at_ms : best;
}

static int64_t due_of(const struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    int64_t due = sooner(INT64_MAX, i->step_by_ms);
    if (!ht__desk_is_open(i)) {
        return due;
    }
    if (!i->confirmed) {
        due = sooner(due, i->confirm_by_ms);
    }
    if (!i->at_risk && i->state != HT_INCIDENT_IS_ONSCENE) {
        due = sooner(due, i->risk_by_ms);
    }
    for (uint32_t s = 0; s < i->seat_count; s++) {
        if (i->seats[s].state == HT_INCIDENT_IS_ASSIGNED) {
            due = sooner(due, i->seats[s].ack_by_ms);
        }
    }
    for (uint32_t p = 0; p < i->passed_count && ht__desk_is_waiting(i); p++) {
        if (i->passed[p].again_at_ms > e->tried_ms) {
            due = sooner(due, i->passed[p].again_at_ms);
        }
    }
    return due;
}

static void set_head(struct ht_desk *d, struct ht__sort *sort)
{
    struct ht__entry *first = ht__desk_queue_first(sort->queue);
    struct ht__key none = {0};
    sort->head.entry = first;
    ht__desk_queue_set(&d->heads, &sort->head, first != NULL,
                       first != NULL ? first->waiting.key : none);
}

void ht__desk_entry_unqueue(struct ht_desk *d, struct ht__entry *e)
{
    struct ht__key none = {0};
    struct ht__sort *sort = e->queued;
    ht__desk_queue_set(sort == NULL ? &d->lost : &sort->queue, &e->waiting, false, none);
    e->queued = NULL;
    if (sort != NULL) {
        set_head(d, sort);
    }
}

static void queue(struct ht_desk *d, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    struct ht__key key = {i->severity, i->received_ms, i->order};
    struct ht__sort *sort =
        e->closest_ms == UINT32_MAX ? NULL : &e->sorts->by_severity[i->severity - 1];
    bool waits = ht__desk_is_waiting(i);
    if (e->waiting.in && (!waits || sort != e->queued)) {
        ht__desk_entry_unqueue(d, e);
    }
    if (waits) {
        ht__desk_queue_set(sort == NULL ? &d->lost : &sort->queue, &e->waiting, true, key);
        e->queued = sort;
        if (sort != NULL) {
            set_head(d, sort);
        }
    }
}

void ht__desk_entry_place(struct ht_desk *d, struct ht__entry *e)
{
    queue(d, e);
    ht__desk_due_set(&d->due, e, due_of(e));
}
