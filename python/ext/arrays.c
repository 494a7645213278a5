/* arrays.c: NumPy arrays in and out; no other file of the extension includes NumPy's headers. */
#include "common.h"

#include <numpy/arrayobject.h>

static const int numpy_types[] = {
    [TYPE_UINT8] = NPY_UINT8, [TYPE_INT32] = NPY_INT32,     [TYPE_INT64] = NPY_INT64,
    [TYPE_FLOAT32] = NPY_FLOAT32, [TYPE_FLOAT64] = NPY_FLOAT64,
};
static const char *const type_names[] = {
    [TYPE_UINT8] = "uint8", [TYPE_INT32] = "int32",     [TYPE_INT64] = "int64",
    [TYPE_FLOAT32] = "float32", [TYPE_FLOAT64] = "float64",
};

int arrays_import(void) { return PyArray_ImportNumPyAPI(); }

int array_is(PyObject *object, element_type type) {
    return PyArray_Check(object) && PyArray_TYPE((PyArrayObject *)object) == numpy_types[type];
}

int array_view_get(array_view *view, PyObject *object, const char *name, element_type type, int rank, int writable) {
    view->owner = NULL;
    if (!PyArray_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s must be a %s array; got %.200s", name, type_names[type],
                     Py_TYPE(object) == &PyArray_Type ? "ndarray" : "another object");
        return -1;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_TYPE(array) != numpy_types[type] || !PyArray_ISNOTSWAPPED(array)) {
        PyErr_Format(PyExc_TypeError, "%s must be a native %s array", name, type_names[type]);
        return -1;
    }
    if (PyArray_NDIM(array) != rank || rank > 4) {
        PyErr_Format(PyExc_TypeError, "%s must have %d dimensions; got %d", name, rank, PyArray_NDIM(array));
        return -1;
    }
    if (!PyArray_IS_C_CONTIGUOUS(array) || !PyArray_ISALIGNED(array)) {
        PyErr_Format(PyExc_TypeError, "%s must be C-contiguous and aligned", name);
        return -1;
    }
    if (writable && !PyArray_ISWRITEABLE(array)) {
        PyErr_Format(PyExc_TypeError, "%s must be writable", name);
        return -1;
    }
    view->rank = rank;
    for (int i = 0; i < rank; i++) view->shape[i] = (int64_t)PyArray_DIM(array, i);
    view->data = PyArray_DATA(array);
    view->owner = object;
    Py_INCREF(object);
    return 0;
}

void array_view_release(array_view *view) { Py_CLEAR(view->owner); }

PyObject *array_new(element_type type, int rank, const int64_t *shape, void **data) {
    npy_intp dimensions[4];
    for (int i = 0; i < rank; i++) dimensions[i] = (npy_intp)shape[i];
    PyObject *array = PyArray_SimpleNew(rank, dimensions, numpy_types[type]);
    if (array != NULL) *data = PyArray_DATA((PyArrayObject *)array);
    return array;
}

int sequences_view_get(sequences_view *view, PyObject *object, const char *name) {
    int letters = PyArray_Check(object) && PyArray_NDIM((PyArrayObject *)object) == 3;
    if (array_view_get(&view->view, object, name, letters ? TYPE_FLOAT32 : TYPE_UINT8, letters ? 3 : 2, 0) < 0) return -1;
    if (letters && view->view.shape[2] != 4) {
        PyErr_Format(PyExc_TypeError, "%s must be (N, L, 4); its last dimension is %lld", name,
                     (long long)view->view.shape[2]);
        array_view_release(&view->view);
        return -1;
    }
    view->sequences.codes = letters ? NULL : view->view.data;
    view->sequences.letters = letters ? view->view.data : NULL;
    view->sequences.count = view->view.shape[0];
    view->sequences.length = view->view.shape[1];
    return 0;
}

void sequences_view_release(sequences_view *view) { array_view_release(&view->view); }
