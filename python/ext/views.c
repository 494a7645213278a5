/* views.c: what views need of the engine: gradients, temporal scores and class optimisation of a model. */
#include "common.h"

/* ---- Gradients and saliency ---- */

PyObject *model_input_gradient(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "target", "quantity", "output", "flags", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X;
    long long target;
    int quantity, output, flags, threads;
    sequences_view view;
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OLiiii", names, &X, &target, &quantity, &output, &flags,
                                        &threads)
        || sequences_view_get(&view, X, "X") < 0)
        return NULL;
    int64_t shape[3] = {view.sequences.count, view.sequences.length, 4};
    void *values;
    PyObject *result = array_new(TYPE_FLOAT32, 3, shape, &values);
    int32_t status = DM_OK;
    if (result != NULL)
        WITH_LOCK(model->lock, status,
                  dm_view_input_gradient(model->handle, &view.sequences, target, quantity, output, flags, threads,
                                         values));
    sequences_view_release(&view);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

PyObject *model_saliency(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "target", "quantity", "output", "flags", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X;
    long long target;
    int quantity, output, flags, threads;
    sequences_view view;
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OLiiii", names, &X, &target, &quantity, &output, &flags,
                                        &threads)
        || sequences_view_get(&view, X, "X") < 0)
        return NULL;
    int64_t shape[2] = {view.sequences.count, view.sequences.length};
    void *values;
    PyObject *result = array_new(TYPE_FLOAT32, 2, shape, &values);
    int32_t status = DM_OK;
    if (result != NULL)
        WITH_LOCK(model->lock, status,
                  dm_view_saliency(model->handle, &view.sequences, target, quantity, output, flags, threads, values));
    sequences_view_release(&view);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

/* ---- Temporal scores ---- */

PyObject *model_temporal_scores(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"X", "target", "output", "direction", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *X;
    long long target;
    int output, direction, threads;
    sequences_view view;
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OLiii", names, &X, &target, &output, &direction, &threads)
        || sequences_view_get(&view, X, "X") < 0)
        return NULL;
    int64_t shape[2] = {view.sequences.count, view.sequences.length};
    void *values;
    PyObject *result = array_new(TYPE_FLOAT32, 2, shape, &values);
    int32_t status = DM_OK;
    if (result != NULL)
        WITH_LOCK(model->lock, status,
                  dm_view_temporal_scores(model->handle, &view.sequences, target, output, direction, threads, values));
    sequences_view_release(&view);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

/* ---- Class optimisation ---- */

typedef struct {
    array_view variables, squares, fixed;
} optimization_arrays;

static void release_arrays(optimization_arrays *arrays) {
    array_view_release(&arrays->variables);
    array_view_release(&arrays->squares);
    array_view_release(&arrays->fixed);
}

/* Views the arrays and compares their shapes; -1 with an exception set on failure, nothing then to be released. */
static int view_arrays(optimization_arrays *arrays, PyObject *variables, PyObject *squares, PyObject *fixed) {
    *arrays = (optimization_arrays){0};
    if (array_view_get(&arrays->variables, variables, "variables", TYPE_FLOAT32, 3, 1) < 0
        || array_view_get(&arrays->squares, squares, "squares", TYPE_FLOAT32, 3, 1) < 0
        || (fixed != Py_None && array_view_get(&arrays->fixed, fixed, "fixed", TYPE_UINT8, 1, 0) < 0)) {
        release_arrays(arrays);
        return -1;
    }
    const int64_t *shape = arrays->variables.shape;
    int fits = shape[2] == 4 && (fixed == Py_None || arrays->fixed.shape[0] == shape[1]);
    for (int i = 0; i < 3; i++) fits = fits && arrays->squares.shape[i] == shape[i];
    if (fits) return 0;
    PyErr_SetString(PyExc_TypeError, "variables and squares must be (R, L, 4), fixed (L,)");
    release_arrays(arrays);
    return -1;
}

PyObject *model_class_optimization(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"variables", "squares", "steps", "target",  "quantity", "output",  "softmax",
                            "l2",        "learning_rate", "alpha", "epsilon", "fixed", "threads", NULL};
    model_object *model = model_checked(self);
    PyObject *variables, *squares, *fixed;
    long long steps, target;
    int threads;
    dm_class_optimization_options options;
    dm_class_optimization_options_init(&options);
    if (model == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OOL$LiipffffOi", names, &variables, &squares, &steps, &target,
                                        &options.quantity, &options.output, &options.softmax, &options.l2,
                                        &options.learning_rate, &options.alpha, &options.epsilon, &fixed, &threads))
        return NULL;
    options.target = target;
    optimization_arrays arrays;
    if (view_arrays(&arrays, variables, squares, fixed) < 0) return NULL;
    int64_t shape[2] = {arrays.variables.shape[0], steps < 0 ? 0 : steps};
    void *objective;
    PyObject *result = array_new(TYPE_FLOAT32, 2, shape, &objective);
    int32_t status = DM_OK;
    if (result != NULL)
        WITH_LOCK(model->lock, status,
                  dm_view_class_optimization(model->handle, &options, shape[0], arrays.variables.shape[1], steps,
                                             arrays.fixed.data, threads, arrays.variables.data, arrays.squares.data,
                                             objective));
    release_arrays(&arrays);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

/* ---- Functions of the module ---- */

static PyObject *class_optimization_matrix(PyObject *module, PyObject *inputs) {
    array_view view;
    if (array_view_get(&view, inputs, "inputs", TYPE_FLOAT32, 3, 0) < 0) return NULL;
    if (view.shape[2] != 4) {
        array_view_release(&view);
        PyErr_SetString(PyExc_TypeError, "inputs must be (R, L, 4)");
        return NULL;
    }
    void *values;
    PyObject *result = array_new(TYPE_FLOAT32, 3, view.shape, &values);
    int32_t status = DM_OK;
    if (result != NULL)
        WITHOUT_GIL(status, dm_view_class_optimization_matrix(view.data, view.shape[0], view.shape[1], values));
    array_view_release(&view);
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_module(module), status);
}

typedef int32_t (*random_fill)(uint64_t seed, int64_t streams, int64_t count, float *values);

/* Values (streams, count) of one of the engine's generators. */
static PyObject *random_values(PyObject *module, PyObject *args, PyObject *keywords, random_fill fill) {
    static char *names[] = {"seed", "streams", "count", NULL};
    unsigned long long seed;
    long long streams, count;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "KLL", names, &seed, &streams, &count)) return NULL;
    int64_t shape[2] = {streams < 0 ? 0 : streams, count < 0 ? 0 : count};
    void *values;
    PyObject *result = array_new(TYPE_FLOAT32, 2, shape, &values);
    if (result == NULL) return NULL;
    int32_t status;
    WITHOUT_GIL(status, fill(seed, streams, count, values));
    if (status == DM_OK) return result;
    Py_DECREF(result);
    return raise_status(state_of_module(module), status);
}

static PyObject *random_uniform(PyObject *module, PyObject *args, PyObject *keywords) {
    return random_values(module, args, keywords, dm_random_uniform);
}

static PyObject *random_normal(PyObject *module, PyObject *args, PyObject *keywords) {
    return random_values(module, args, keywords, dm_random_normal);
}

PyMethodDef view_functions[] = {
    {"class_optimization_matrix", class_optimization_matrix, METH_O, "Optimised inputs (R, L, 4) as matrices."},
    KEYWORD_METHOD("random_uniform", random_uniform, "Uniform [0, 1) values (streams, count), one stream a row."),
    KEYWORD_METHOD("random_normal", random_normal, "Standard normal values (streams, count), one stream a row."),
    {NULL, NULL, 0, NULL},
};
