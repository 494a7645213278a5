/* metrics.c: output functions and metrics, module-level functions. */
#include "common.h"

static PyObject *output_apply(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"output", "scores", NULL};
    int output;
    PyObject *scores;
    array_view view;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "iO", names, &output, &scores)
        || array_view_get(&view, scores, "scores", TYPE_FLOAT32, 2, 0) < 0)
        return NULL;
    void *values;
    int32_t status = DM_OK;
    PyObject *result = array_new(TYPE_FLOAT32, 2, view.shape, &values);
    if (result != NULL)
        WITHOUT_GIL(status, dm_output_apply(output, view.data, view.shape[0], view.shape[1], values));
    array_view_release(&view);
    if (status == DM_OK) return result;
    Py_XDECREF(result);
    return raise_status(state_of_module(module), status);
}

/* Views an array and the int32 labels of its rows. */
static int labelled_get(array_view *values, PyObject *object, const char *name, element_type type, int rank,
                        array_view *labels, PyObject *label_object) {
    if (array_view_get(values, object, name, type, rank, 0) < 0) return -1;
    if (array_view_get(labels, label_object, "labels", TYPE_INT32, 1, 0) < 0) {
        array_view_release(values);
        return -1;
    }
    if (values->shape[0] == labels->shape[0]) return 0;
    PyErr_Format(PyExc_TypeError, "%s and labels must have equal lengths", name);
    array_view_release(values);
    array_view_release(labels);
    return -1;
}

/* Releases both views; the metric's value, or its status as an exception. */
static PyObject *labelled_result(PyObject *module, int32_t status, double value, array_view *values,
                                 array_view *labels) {
    array_view_release(values);
    array_view_release(labels);
    return status == DM_OK ? PyFloat_FromDouble(value) : raise_status(state_of_module(module), status);
}

typedef int32_t ranking_metric(const float *, const int32_t *, int64_t, double *);

static PyObject *rank(PyObject *module, PyObject *args, PyObject *keywords, ranking_metric *metric) {
    static char *names[] = {"scores", "labels", NULL};
    PyObject *score_object, *label_object;
    array_view scores, labels;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &score_object, &label_object)
        || labelled_get(&scores, score_object, "scores", TYPE_FLOAT32, 1, &labels, label_object) < 0)
        return NULL;
    double value = 0;
    int32_t status;
    WITHOUT_GIL(status, metric(scores.data, labels.data, labels.shape[0], &value));
    return labelled_result(module, status, value, &scores, &labels);
}

static PyObject *roc_auc(PyObject *module, PyObject *args, PyObject *keywords) {
    return rank(module, args, keywords, dm_metric_roc_auc);
}

static PyObject *average_precision(PyObject *module, PyObject *args, PyObject *keywords) {
    return rank(module, args, keywords, dm_metric_average_precision);
}

static PyObject *log_loss(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"probabilities", "labels", NULL};
    PyObject *probability_object, *label_object;
    array_view probabilities, labels;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO", names, &probability_object, &label_object)
        || labelled_get(&probabilities, probability_object, "probabilities", TYPE_FLOAT32, 2, &labels, label_object) < 0)
        return NULL;
    double value = 0;
    int32_t status;
    WITHOUT_GIL(status, dm_metric_log_loss(probabilities.data, labels.data, probabilities.shape[0],
                                           probabilities.shape[1], &value));
    return labelled_result(module, status, value, &probabilities, &labels);
}

static PyObject *matthews(PyObject *module, PyObject *args, PyObject *keywords) {
    static char *names[] = {"predicted", "labels", "classes", NULL};
    PyObject *predicted_object, *label_object;
    long long classes;
    array_view predicted, labels;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOL", names, &predicted_object, &label_object, &classes)
        || labelled_get(&predicted, predicted_object, "predicted", TYPE_INT32, 1, &labels, label_object) < 0)
        return NULL;
    double value = 0;
    int32_t status;
    WITHOUT_GIL(status, dm_metric_matthews(predicted.data, labels.data, labels.shape[0], classes, &value));
    return labelled_result(module, status, value, &predicted, &labels);
}

PyMethodDef metric_functions[] = {
    KEYWORD_METHOD("output_apply", output_apply, "Output function of scores (N, C)."),
    KEYWORD_METHOD("roc_auc", roc_auc, "Area under the ROC curve; ties share their rank."),
    KEYWORD_METHOD("average_precision", average_precision, "Area under the precision-recall curve."),
    KEYWORD_METHOD("log_loss", log_loss, "Mean negative log-probability of the labels."),
    KEYWORD_METHOD("matthews", matthews, "Matthews correlation coefficient."),
    {NULL, NULL, 0, NULL},
};
