/* scanner.c: the type Scanner, hits of many motifs. Calls on one object wait for each other. */
#include "common.h"

typedef struct {
    PyObject_HEAD
    dm_scanner *handle;
    PyThread_type_lock lock;
} scanner_object;

static PyObject *scanner_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    (void)args, (void)keywords;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    scanner_object *self = (scanner_object *)allocate(type, 0);
    if (self == NULL) return NULL;
    self->handle = NULL;
    self->lock = PyThread_allocate_lock();
    if (self->lock != NULL) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static void scanner_dealloc(PyObject *self) {
    scanner_object *scanner = (scanner_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    dm_scanner_free(scanner->handle);
    if (scanner->lock != NULL) PyThread_free_lock(scanner->lock);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* What __init__ takes apart: log-odds of both strands, widths and background, whose sizes must fit. */
typedef struct {
    array_view forward, reverse, widths, background;
} matrices;

static void matrices_release(matrices *taken) {
    array_view_release(&taken->forward);
    array_view_release(&taken->reverse);
    array_view_release(&taken->widths);
    array_view_release(&taken->background);
}

static int matrices_fit(const matrices *taken) {
    const int64_t *widths = taken->widths.data;
    int64_t total = 0;
    for (int64_t i = 0; i < taken->widths.shape[0]; i++) {
        if (widths[i] < 0 || widths[i] > INT32_MAX || total > INT64_MAX / 2) return 0;
        total += widths[i];
    }
    int reverse_fits = taken->reverse.owner == NULL
                       || (taken->reverse.shape[0] == total && taken->reverse.shape[1] == 4);
    return taken->forward.shape[0] == total && taken->forward.shape[1] == 4 && reverse_fits
           && taken->background.shape[0] == 4;
}

static int matrices_get(matrices *taken, PyObject *forward, PyObject *reverse, PyObject *widths,
                        PyObject *background) {
    *taken = (matrices){0};
    if (array_view_get(&taken->forward, forward, "log_odds", TYPE_FLOAT64, 2, 0) == 0
        && (reverse == Py_None || array_view_get(&taken->reverse, reverse, "reverse", TYPE_FLOAT64, 2, 0) == 0)
        && array_view_get(&taken->widths, widths, "widths", TYPE_INT64, 1, 0) == 0
        && array_view_get(&taken->background, background, "background", TYPE_FLOAT64, 1, 0) == 0) {
        if (matrices_fit(taken)) return 0;
        PyErr_SetString(PyExc_TypeError, "log_odds and reverse must be (sum of widths, 4), background (4,)");
    }
    matrices_release(taken);
    return -1;
}

static int scanner_init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"log_odds", "reverse", "widths", "background", "p_value", "threads", NULL};
    scanner_object *scanner = (scanner_object *)self;
    PyObject *forward, *reverse, *widths, *background;
    double p_value;
    int threads;
    matrices taken;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOOOdi", names, &forward, &reverse, &widths, &background,
                                     &p_value, &threads)
        || matrices_get(&taken, forward, reverse, widths, background) < 0)
        return -1;
    dm_scanner *created = NULL;
    int32_t status;
    WITHOUT_GIL(status, dm_scanner_create(taken.forward.data, taken.reverse.owner == NULL ? NULL : taken.reverse.data,
                                          taken.widths.data, taken.widths.shape[0], taken.background.data, p_value,
                                          threads, &created));
    matrices_release(&taken);
    if (status != DM_OK) {
        raise_status(state_of_type(Py_TYPE(self)), status);
        return -1;
    }
    if (scanner->handle != NULL) {
        dm_scanner_free(created);
        PyErr_SetString(PyExc_RuntimeError, "a Scanner is initialised once");
        return -1;
    }
    scanner->handle = created;
    return 0;
}

static scanner_object *scanner_checked(PyObject *self) {
    scanner_object *scanner = (scanner_object *)self;
    if (scanner->handle != NULL) return scanner;
    PyErr_SetString(PyExc_RuntimeError, "this Scanner was never initialised");
    return NULL;
}

static PyObject *scanner_scan(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"codes", "starts", "first_sequence", "first_position", "threads", NULL};
    scanner_object *scanner = scanner_checked(self);
    PyObject *object;
    long long starts, first_sequence, first_position;
    int threads;
    array_view codes;
    if (scanner == NULL
        || !PyArg_ParseTupleAndKeywords(args, keywords, "OLLLi", names, &object, &starts, &first_sequence,
                                        &first_position, &threads)
        || array_view_get(&codes, object, "codes", TYPE_UINT8, 2, 0) < 0)
        return NULL;
    int32_t status;
    WITH_LOCK(scanner->lock, status, dm_scanner_scan(scanner->handle, codes.data, codes.shape[0], codes.shape[1],
                                                     starts, first_sequence, first_position, threads));
    array_view_release(&codes);
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    Py_RETURN_NONE;
}

static PyObject *scanner_finish(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"first", "count", "threads", NULL};
    scanner_object *scanner = scanner_checked(self);
    long long first, count;
    int threads;
    if (scanner == NULL || !PyArg_ParseTupleAndKeywords(args, keywords, "LLi", names, &first, &count, &threads))
        return NULL;
    int32_t status;
    WITH_LOCK(scanner->lock, status, dm_scanner_finish(scanner->handle, first, count, threads));
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    Py_RETURN_NONE;
}

static PyObject *scanner_hits(PyObject *self, PyObject *unused) {
    static const element_type types[] = {TYPE_INT64,   TYPE_INT64,   TYPE_INT64,  TYPE_UINT8,
                                         TYPE_FLOAT64, TYPE_FLOAT64, TYPE_FLOAT64};
    scanner_object *scanner = scanner_checked(self);
    int64_t count = 0;
    int32_t status;
    void *data[7];
    (void)unused;
    if (scanner == NULL) return NULL;
    WITH_LOCK(scanner->lock, status, dm_scanner_hit_count(scanner->handle, &count));
    if (status != DM_OK) return raise_status(state_of_type(Py_TYPE(self)), status);
    PyObject *results = PyTuple_New(7);
    if (results == NULL) return NULL;
    for (int i = 0; i < 7; i++) {
        PyObject *array = array_new(types[i], 1, &count, &data[i]);
        if (array == NULL) {
            Py_DECREF(results);
            return NULL;
        }
        PyTuple_SetItem(results, i, array);
    }
    /* Another thread may have scanned on in between: the engine then refuses the count. */
    WITH_LOCK(scanner->lock, status, dm_scanner_hits(scanner->handle, count, data[0], data[1], data[2], data[3],
                                                     data[4], data[5], data[6]));
    if (status == DM_OK) return results;
    Py_DECREF(results);
    return raise_status(state_of_type(Py_TYPE(self)), status);
}

static PyMethodDef methods[] = {
    KEYWORD_METHOD("scan", scanner_scan, "Look at the windows of a piece of the sequences."),
    KEYWORD_METHOD("finish", scanner_finish, "P-values and q-values of the hits of some motifs."),
    {"hits", scanner_hits, METH_NOARGS, "Motifs, sequences, starts, reversed, scores, p-values and q-values."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Hits of motifs in sequences that come in pieces."},
    {Py_tp_new, scanner_new},
    {Py_tp_init, scanner_init},
    {Py_tp_dealloc, scanner_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec scanner_type_spec = {
    .name = "deepmotif._native.Scanner",
    .basicsize = sizeof(scanner_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
