/* Late: shared libraries that are loaded when something of them is first asked for.
 *
 * PROJ and SpatiaLite bring some forty libraries with them (HTTP, TLS, image formats), GEOS half of
 * the relocations of all others, libpq (PostgreSQL's) Kerberos and LDAP. Loading those took more
 * time than all the rest of a route on the command line, which needs none of them.
 *
 * Threading: any thread. Ownership: a table lives as long as the program; its library is never
 * unloaded. Errors: NULL where the library is not there or lacks a function; `houtao` was installed
 * without what it needs.
 */
#ifndef HT_GEODATA_LATE_H
#define HT_GEODATA_LATE_H

#include <geos_c.h>
#include <libpq-fe.h>
#include <proj.h>
#include <sqlite3.h>

#include <spatialite.h> /* needs SQLite's header before it */

/* X(function): what we call of each. */
#define HT_LATE_PROJ(X)                                                                            \
    X(proj_context_create)                                                                         \
    X(proj_context_destroy)                                                                        \
    X(proj_context_set_enable_network)                                                             \
    X(proj_create)                                                                                 \
    X(proj_create_crs_to_crs_from_pj)                                                              \
    X(proj_crs_get_coordinate_system)                                                              \
    X(proj_crs_get_sub_crs)                                                                        \
    X(proj_cs_get_axis_info)                                                                       \
    X(proj_destroy)                                                                                \
    X(proj_errno_reset)                                                                            \
    X(proj_get_source_crs)                                                                         \
    X(proj_get_type)                                                                               \
    X(proj_log_func)                                                                               \
    X(proj_normalize_for_visualization)                                                            \
    X(proj_trans_generic)

#define HT_LATE_SPATIALITE(X)                                                                      \
    X(spatialite_alloc_connection)                                                                 \
    X(spatialite_cleanup_ex)                                                                       \
    X(spatialite_init_ex)

#define HT_LATE_GEOS(X)                                                                            \
    X(GEOSContext_setErrorMessageHandler_r)                                                        \
    X(GEOSCoordSeq_create_r)                                                                       \
    X(GEOSCoordSeq_destroy_r)                                                                      \
    X(GEOSCoordSeq_getSize_r)                                                                      \
    X(GEOSCoordSeq_getXY_r)                                                                        \
    X(GEOSCoordSeq_setXY_r)                                                                        \
    X(GEOSFree_r)                                                                                  \
    X(GEOSGeomGetX_r)                                                                              \
    X(GEOSGeomGetY_r)                                                                              \
    X(GEOSGeomTypeId_r)                                                                            \
    X(GEOSGeom_createCollection_r)                                                                 \
    X(GEOSGeom_createLineString_r)                                                                 \
    X(GEOSGeom_createLinearRing_r)                                                                 \
    X(GEOSGeom_createPoint_r)                                                                      \
    X(GEOSGeom_createPolygon_r)                                                                    \
    X(GEOSGeom_destroy_r)                                                                          \
    X(GEOSGeom_getCoordSeq_r)                                                                      \
    X(GEOSGeom_setPrecision_r)                                                                     \
    X(GEOSGetExteriorRing_r)                                                                       \
    X(GEOSGetGeometryN_r)                                                                          \
    X(GEOSGetInteriorRingN_r)                                                                      \
    X(GEOSGetNumGeometries_r)                                                                      \
    X(GEOSGetNumInteriorRings_r)                                                                   \
    X(GEOSIntersects_r)                                                                            \
    X(GEOSMakeValidParams_create_r)                                                                \
    X(GEOSMakeValidParams_destroy_r)                                                               \
    X(GEOSMakeValidParams_setMethod_r)                                                             \
    X(GEOSMakeValidWithParams_r)                                                                   \
    X(GEOS_finish_r)                                                                               \
    X(GEOS_init_r)                                                                                 \
    X(GEOSisEmpty_r)                                                                               \
    X(GEOSisValidDetail_r)                                                                         \
    X(GEOSisValid_r)

#define HT_LATE_PQ(X)                                                                              \
    X(PQclear)                                                                                     \
    X(PQcmdStatus)                                                                                 \
    X(PQcmdTuples)                                                                                 \
    X(PQconnectdbParams)                                                                           \
    X(PQconsumeInput)                                                                              \
    X(PQerrorMessage)                                                                              \
    X(PQexec)                                                                                      \
    X(PQexecParams)                                                                                \
    X(PQexecPrepared)                                                                              \
    X(PQfinish)                                                                                    \
    X(PQfreemem)                                                                                   \
    X(PQgetResult)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQgetlength)                                                                                 \
    X(PQgetvalue)                                                                                  \
    X(PQisBusy)                                                                                    \
    X(PQnfields)                                                                                   \
    X(PQnotifies)                                                                                  \
    X(PQntuples)                                                                                   \
    X(PQprepare)                                                                                   \
    X(PQresultErrorField)                                                                          \
    X(PQresultErrorMessage)                                                                        \
    X(PQresultStatus)                                                                              \
    X(PQsendQueryParams)                                                                           \
    X(PQserverVersion)                                                                             \
    X(PQsetNoticeProcessor)                                                                        \
    X(PQsocket)                                                                                    \
    X(PQstatus)                                                                                    \
    X(PQtransactionStatus)

#define HT_LATE_MEMBER(function) __typeof__(function) *(function);
struct ht_late_proj {
    HT_LATE_PROJ(HT_LATE_MEMBER)
};
struct ht_late_spatialite {
    HT_LATE_SPATIALITE(HT_LATE_MEMBER)
};
struct ht_late_geos {
    HT_LATE_GEOS(HT_LATE_MEMBER)
};
struct ht_late_pq {
    HT_LATE_PQ(HT_LATE_MEMBER)
};
#undef HT_LATE_MEMBER

const struct ht_late_proj *ht_late_proj(void);
const struct ht_late_spatialite *ht_late_spatialite(void);
const struct ht_late_geos *ht_late_geos(void);
const struct ht_late_pq *ht_late_pq(void);

#endif
