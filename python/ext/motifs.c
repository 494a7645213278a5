/* motifs.c: motif scores and their p-values, module-level functions. */
#include "common.h"

/* Views a log-odds matrix (K, 4) of doubles. */
static int log_odds_get(array_view *view, PyObject *object) {
    if (array_view_get(view, object, "log_odds", TYPE_FLOAT64, 2, 0) < 0) return -1;
    if (view->shape[1] == 4) return 0;
    PyErr_Format(PyExc_TypeError, "log_odds must be (K, 4); its last dimension is %lld", (long long)view->shape[1]);
    array_view_release(view);
    return -1;
}

static PyObject *motif_scores(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"log_odds", "codes", "threads", NULL};
    PyObject *matrix_object, *code_object;
    int threads;
    array_view matrix, codes;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOi", names, &matrix_object, &code_object, &threads)
        || log_odds_get(&matrix, matrix_object) < 0)
        return NULL;
    if (array_view_get(&codes, code_object, "codes", TYPE_UINT8, 2, 0) < 0) {
        array_view_release(&matrix);
        return NULL;
    }
    void *scores;
    int32_t status = DM_OK;
    /* A motif wider than the sequences is the engine's to refuse; it writes nothing then. */
    int64_t windows = codes.shape[1] - matrix.shape[0] + 1;
    int64_t shape[] = {codes.shape[0], windows > 0 ? windows : 0};
    PyObject *result = array_new(TYPE_FLOAT64, 2, shape, &scores);
    if (result != NULL)
        WITHOUT_GIL(status, dm_motif_scores(matrix.data, matrix.shape[0], codes.data, codes.shape[0], codes.shape[1],
                                            threads, scores));
    array_view_release(&matrix);
    array_view_release(&codes);
    if (status == DM_OK) return result;
    Py_XDECREF(result);
    return raise_status(state_of_module(module), status);
}

static PyObject *motif_p_values(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"log_odds", "background", "scores", NULL};
    PyObject *matrix_object, *background_object, *score_object, *result = NULL;
    array_view matrix, background, scores;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO", names, &matrix_object, &background_object, &score_object)
        || log_odds_get(&matrix, matrix_object) < 0)
        return NULL;
    if (array_view_get(&background, background_object, "background", TYPE_FLOAT64, 1, 0) < 0) goto release_matrix;
    if (array_view_get(&scores, score_object, "scores", TYPE_FLOAT64, 1, 0) < 0) goto release_background;
    if (background.shape[0] != 4) {
        PyErr_SetString(PyExc_TypeError, "background must be (4,)");
        goto release_scores;
    }
    void *values;
    int32_t status = DM_OK;
    result = array_new(TYPE_FLOAT64, 1, scores.shape, &values);
    if (result != NULL)
        WITHOUT_GIL(status, dm_motif_p_values(matrix.data, matrix.shape[0], background.data, scores.data,
                                              scores.shape[0], values));
    if (status != DM_OK) {
        Py_CLEAR(result);
        raise_status(state_of_module(module), status);
    }
release_scores:
    array_view_release(&scores);
release_background:
    array_view_release(&background);
release_matrix:
    array_view_release(&matrix);
    return result;
}

PyMethodDef motif_functions[] = {
    KEYWORD_METHOD("motif_scores", motif_scores, "Scores (N, L - K + 1) of a log-odds matrix (K, 4) on codes (N, L)."),
    KEYWORD_METHOD("motif_p_values", motif_p_values, "P-values of scores under independent letters."),
    {NULL, NULL, 0, NULL},
};
