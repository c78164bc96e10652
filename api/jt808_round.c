/* Reads that are answered together.
 *
 *   read, read, read ... --> take, take, take ... --> send, send, send ...
 *
 * Each of the three works on its own data with its own code; one connection after the other through
 * all of them would throw the kernel's and the town's out of the caches in turn.
 */
#include "api/jt808_internal.h"

uint8_t *ht__jt_round_room(struct ht_jt808 *jt)
{
    if (jt->round_count == HT_JT_ROUND ||
        sizeof jt->input - jt->input_size < HT_JT808_RAW_MAX + HT_JT_READ) {
        ht__jt_round_end(jt);
    }
    return jt->input + jt->input_size;
}

void ht__jt_round_add(struct ht__jt_conn *conn, size_t size)
{
    struct ht_jt808 *jt = conn->jt;
    jt->round[jt->round_count++] =
        (struct ht__jt_share){.conn = conn, .in_at = jt->input_size, .in_size = size};
    jt->input_size += size;
    conn->share = (uint16_t)jt->round_count;
    if (!jt->ending) { /* once for all who speak in this pass of the loop */
        jt->ending = true;
        event_active(jt->end_event, 0, 0);
    }
}

void ht__jt_round_leave(struct ht__jt_conn *conn)
{
    if (conn->share > 0) {
        conn->jt->round[conn->share - 1].conn = NULL;
    }
}

void ht__jt_round_end(struct ht_jt808 *jt)
{
    for (size_t i = 0; i < jt->round_count; i++) {
        struct ht__jt_share *share = &jt->round[i];
        share->out_at = jt->out.size;
        if (share->conn != NULL) {
            ht__jt_frames(share->conn, jt->input + share->in_at, share->in_size);
        }
        share->out_size = jt->out.size - share->out_at;
    }
    for (size_t i = 0; i < jt->round_count; i++) {
        const struct ht__jt_share *share = &jt->round[i];
        if (share->conn != NULL) {
            share->conn->share = 0;
            ht__jt_send(share->conn, share->out_size == 0 ? "" : jt->out.data + share->out_at,
                        share->out_size);
        }
    }
    ht_buffer_clear(&jt->out);
    jt->round_count = 0;
    jt->input_size = 0;
}
