/* channels.c: the channels of a layer: where they are strongest, and scores without them; methods of Model. */
#include "common.h"

PyObject *model_channel_peaks(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "layer", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X, *positions = NULL, *values = NULL;
    long long layer;
    int threads;
    sequences_view view;
    if (model == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "OLi", names, &X, &layer, &threads)
        || sequences_view_get(&view, X, "X") < 0)
        return NULL;
    int64_t length, shape[2] = {view.sequences.count, 0};
    void *position_data, *value_data;
    int32_t status = dm_model_layer_shape(model->handle, layer, view.sequences.length, &length, &shape[1]);
    if (status == DM_OK && (positions = array_new(TYPE_INT32, 2, shape, &position_data)) != NULL
        && (values = array_new(TYPE_FLOAT32, 2, shape, &value_data)) != NULL)
        WITH_LOCK(model->lock, status,
                  dm_view_channel_peaks(model->handle, &view.sequences, layer, threads, position_data, value_data));
    sequences_view_release(&view);
    if (status == DM_OK && values != NULL) return Py_BuildValue("(NN)", positions, values);
    Py_XDECREF(positions);
    Py_XDECREF(values);
    return status == DM_OK ? NULL : raise_status(state_of_type(Py_TYPE(self)), status);
}

PyObject *model_ablated_scores(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "layer", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X, *result = NULL;
    long long layer;
    int threads;
    sequences_view view;
    if (model == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "OLi", names, &X, &layer, &threads)
        || sequences_view_get(&view, X, "X") < 0)
        return NULL;
    int64_t length, shape[3] = {view.sequences.count, 0, model_classes(model, view.sequences.length)};
    void *scores;
    if (shape[2] < 0) {
        sequences_view_release(&view);
        return NULL;
    }
    int32_t status = dm_model_layer_shape(model->handle, layer, view.sequences.length, &length, &shape[1]);
    if (status == DM_OK && (result = array_new(TYPE_FLOAT32, 3, shape, &scores)) != NULL)
        WITH_LOCK(model->lock, status,
                  dm_view_ablated_scores(model->handle, &view.sequences, layer, threads, scores));
    sequences_view_release(&view);
    if (status == DM_OK) return result;
    Py_XDECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}
