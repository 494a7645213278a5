/* tomtom.c: motif comparison, a module-level function. */
#include "common.h"

#include <string.h>

/* Motifs of one side: views of their three arrays, and the engine's description of them. */
typedef struct {
    array_view columns, widths, sites;
    dm_motifs motifs;
} motifs_view;

static void motifs_release(motifs_view *view) {
    array_view_release(&view->columns);
    array_view_release(&view->widths);
    array_view_release(&view->sites);
}

/* Views (columns (sum of widths, 4), widths (n,), sites (n,)), whose sizes must fit: the engine trusts them. */
static int motifs_get(motifs_view *view, PyObject *object, const char *name) {
    PyObject *columns, *widths, *sites;
    memset(view, 0, sizeof *view);
    if (!PyTuple_Check(object) || !PyArg_ParseTuple(object, "OOO", &columns, &widths, &sites)) {
        PyErr_Format(PyExc_TypeError, "%s must be a tuple of columns, widths and sites", name);
        return -1;
    }
    if (array_view_get(&view->columns, columns, "columns", TYPE_FLOAT64, 2, 0) < 0
        || array_view_get(&view->widths, widths, "widths", TYPE_INT64, 1, 0) < 0
        || array_view_get(&view->sites, sites, "sites", TYPE_FLOAT64, 1, 0) < 0)
        goto fail;
    int64_t total = 0, count = view->widths.shape[0];
    const int64_t *values = view->widths.data;
    for (int64_t i = 0; i < count && total >= 0; i++)
        total = values[i] < 0 || values[i] > INT32_MAX || total > INT64_MAX / 2 ? -1 : total + values[i];
    if (view->columns.shape[1] != 4 || view->columns.shape[0] != total || view->sites.shape[0] != count) {
        PyErr_Format(PyExc_TypeError, "%s: columns must be (sum of widths, 4), sites as many as widths", name);
        goto fail;
    }
    view->motifs = (dm_motifs){view->columns.data, values, view->sites.data, count};
    return 0;
fail:
    motifs_release(view);
    return -1;
}

static int background_get(double *background, PyObject *object) {
    array_view view;
    if (array_view_get(&view, object, "background", TYPE_FLOAT64, 1, 0) < 0) return -1;
    int fits = view.shape[0] == 4;
    if (fits)
        memcpy(background, view.data, 4 * sizeof(double));
    else
        PyErr_SetString(PyExc_TypeError, "background must be (4,)");
    array_view_release(&view);
    return fits ? 0 : -1;
}

/* The six result arrays (Q, T) in the order of dm_tomtom. */
static PyObject *run(PyObject *module, const dm_tomtom_options *options, const motifs_view *queries,
                     const motifs_view *targets, int threads) {
    static const element_type types[] = {TYPE_FLOAT64, TYPE_FLOAT64, TYPE_INT32, TYPE_INT32, TYPE_UINT8, TYPE_INT64};
    int64_t shape[] = {queries->motifs.count, targets->motifs.count};
    void *data[6];
    PyObject *results = PyTuple_New(6);
    if (results == NULL) return NULL;
    for (int i = 0; i < 6; i++) {
        PyObject *array = array_new(types[i], 2, shape, &data[i]);
        if (array == NULL) {
            Py_DECREF(results);
            return NULL;
        }
        PyTuple_SetItem(results, i, array);
    }
    int32_t status;
    WITHOUT_GIL(status, dm_tomtom(options, &queries->motifs, &targets->motifs, threads, data[0], data[1], data[2],
                                  data[3], data[4], data[5]));
    if (status == DM_OK) return results;
    Py_DECREF(results);
    return raise_status(state_of_module(module), status);
}

static PyObject *tomtom(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"queries", "targets", "distance", "complete_scores", "reverse_complement", "min_overlap",
                            "pseudocount", "background", "threads", NULL};
    PyObject *query_object, *target_object, *background, *result = NULL;
    int distance, complete_scores, reverse_complement, threads;
    long long min_overlap;
    dm_tomtom_options options;
    motifs_view queries, targets;
    dm_tomtom_options_init(&options);
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOippLdOi", names, &query_object, &target_object, &distance,
                                     &complete_scores, &reverse_complement, &min_overlap, &options.pseudocount,
                                     &background, &threads)
        || background_get(options.background, background) < 0)
        return NULL;
    options.distance = distance;
    options.complete_scores = complete_scores;
    options.reverse_complement = reverse_complement;
    options.min_overlap = min_overlap;
    if (motifs_get(&queries, query_object, "queries") < 0) return NULL;
    if (motifs_get(&targets, target_object, "targets") == 0) {
        result = run(module, &options, &queries, &targets, threads);
        motifs_release(&targets);
    }
    motifs_release(&queries);
    return result;
}

PyMethodDef tomtom_functions[] = {
    KEYWORD_METHOD("tomtom", tomtom, "Compare motifs: p and q values, offsets, overlaps, orientations, order."),
    {NULL, NULL, 0, NULL},
};
